"""The page of models: complete, and never more certain than the price book."""

from __future__ import annotations

import re

from flows.budget.page import models_page
from flows.budget.shipped import builtin
from flows.ideogram.catalogue import CATALOGUE, price_tiers


def _section(page: str, model: str) -> str:
    return page.partition(f"\n## {model}\n")[2].partition("\n## ")[0]


def test_every_model_option_ratio_and_tier_is_on_it() -> None:
    """A section for each model, with everything that can be written for it."""
    page = models_page(builtin())
    for model, endpoint in CATALOGUE.items():
        section = _section(page, model)
        assert f"`POST {endpoint.path}`" in section
        for option in endpoint.options:
            assert f"| `{option.name}` |" in section
            assert all(f"`{value}`" in page for value in option.values)
        for ratio, (_, value) in endpoint.ratios.items():
            assert f"{ratio} (`{value}`)" in section
        tiers = [line for line in section.splitlines() if re.match(r"\| (all|`[^|]*: `[^|]*`) \|", line)]
        assert len(tiers) == len(price_tiers(endpoint))


def test_a_price_that_is_not_known_is_said_to_be_so() -> None:
    """Never a nought, never a blank."""
    section = _section(models_page(builtin()), "ideogram-4-transparent")
    assert "`default/2k` | 0.06 |" in section
    assert "`quality/8k` | not known |" in section


def test_links_within_the_page_lead_somewhere() -> None:
    """Every anchor is that of a heading."""
    page = models_page(builtin())
    headings = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= anchors
