"""The price book that comes with the program, for projects that have none of their own.

There is one file, `configs/prices.yaml`; building a wheel puts a copy of it beside this module, so that an
installed program has it too. Knows where the file is; knows nothing of what it says.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from flows.budget.prices import PriceBook
from flows.documents import parse

_NAME = "prices.yaml"


def builtin() -> PriceBook:
    """The shipped prices: the packaged copy where there is one, else the file of the source checkout."""
    packaged = resources.files("flows.budget") / _NAME
    if packaged.is_file():
        return PriceBook.load(parse(packaged.read_bytes(), f"the built-in {_NAME}"))
    checkout = Path(__file__).resolve().parents[2] / "configs" / _NAME
    return PriceBook.load(parse(checkout.read_bytes(), f"configs/{_NAME}"))
