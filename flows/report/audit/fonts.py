"""The typeface of the page, carried inside it: nothing is fetched, and it looks the same on every machine.

Hanken Grotesk, under the SIL Open Font License, from the package that the sandbox letters its posters with.
"""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path

import font_hanken_grotesk

_FILES = {400: "HankenGrotesk-Regular.otf", 600: "HankenGrotesk-SemiBold.otf"}


@cache
def faces() -> str:
    """The ``@font-face`` rules of the family ``Audit``."""
    folder = Path(font_hanken_grotesk.__file__).parent / "files"
    return "".join(
        f'@font-face{{font-family:"Audit";font-weight:{weight};font-display:block;'
        f"src:url(data:font/otf;base64,{base64.b64encode((folder / name).read_bytes()).decode()})}}\n"
        for weight, name in _FILES.items()
    )
