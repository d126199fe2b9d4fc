"""The page `docs/models.md`: every model that can be bought, what it takes, and what it costs. Pure.

Made from the catalogue and the price book, so that it cannot say anything else than they do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from flows.budget.prices import Price, PriceBook
from flows.documents.reference import table
from flows.ideogram.catalogue import CATALOGUE, Endpoint, Kind, Option, price_tiers, undecided

_HEAD = """\
# Models

Generated from the catalogue and the price book by `make generated`; a test fails when it is stale.

Write the name of a model, or one of its other names, as `model:`; `aspect_ratio:` works on all of them. The rest is
written under `options:` and is checked before anything is sent. What this release does not know yet goes under
`options_unchecked:`: it is sent as written, with a warning. `seeds:`, `count:` and the rest are ours:
[manifest.md](manifest.md).

- *route*: asynchronous models answer at once with an id, so that a run cut off anywhere can be finished; synchronous
  ones answer when the pictures are done, and what is cut off before is in doubt.
- *default*: what the API takes when an option is left out. A dash where that is not certain: then what you write counts
  as part of the picture, whatever it is.
- *prices*: US dollars for one image. **A price that is not listed is not known, and cannot be bought** until you look
  it up and add it to `configs/prices.yaml`; it is never taken for nothing. Where the source is a reseller's page, ask
  for your own price.

A structured prompt is written as a map, on the models that take one. Every text in it may hold placeholders;
`lettering` has to appear in an element of `type: text`. Boxes are optional: `[y_min, x_min, y_max, x_max]` in
thousandths of the picture, from the top left. It is sent as one line of JSON, in the vendor's order of keys whatever
yours is.

```yaml
- id: poster
  model: ideogram-4-5
  options: {magic_prompt: off}
  lettering: SUMMER, SLOWLY
  prompt:
    high_level_description: "Poster, a glass bottle on wet sand, {look}"
    style_description: {aesthetics: calm, lighting: soft morning light} # also photo, medium, art_style
    compositional_deconstruction:
      background: wet sand, the sea far away
      elements:
        - {type: obj, desc: a glass bottle, bbox: [350, 350, 950, 650]}
        - {type: text, text: "{lettering}", desc: large white capitals, bbox: [80, 100, 300, 900]}
```
"""
_MANY = 16


def models_page(book: PriceBook) -> str:
    """The whole page, as Markdown."""
    lists = _long_lists()
    parts = [_HEAD, _overview(book)]
    parts += [_section(endpoint, book, lists) for endpoint in CATALOGUE.values()]
    parts.append("## Long lists\n")
    parts += [f"### {title}\n\n{', '.join(f'`{value}`' for value in values)}\n" for values, title in lists.items()]
    return "\n".join(parts)


def _overview(book: PriceBook) -> str:
    rows = [
        (
            f"[`{endpoint.model}`](#{_anchor(endpoint.model)})",
            endpoint.version,
            "asynchronous" if endpoint.asynchronous else "synchronous",
            str(len(endpoint.ratios)),
            "yes" if endpoint.json_prompts else "",
            "yes" if endpoint.transparent else "",
            _span(_known(endpoint, book).values()),
        )
        for endpoint in CATALOGUE.values()
    ]
    head = ("model", "API", "route", "ratios", "structured prompts", "transparent", "USD per image")
    return table(head, rows)


def _section(endpoint: Endpoint, book: PriceBook, lists: dict[tuple[str, ...], str]) -> str:
    kind = "asynchronous" if endpoint.asynchronous else "synchronous"
    sent = {field for field, _ in endpoint.ratios.values()}
    facts = [
        f"`POST {endpoint.path}`, {kind}; up to {endpoint.max_images} images in a request, prompts of up to"
        f" {endpoint.max_prompt:,} characters" + (", as text or as a map." if endpoint.json_prompts else "."),
        f"Also called {', '.join(f'`{alias}`' for alias in endpoint.aliases)}." if endpoint.aliases else "",
        "Pictures are PNGs with an alpha channel." if endpoint.transparent else "",
        f"Price quotes: {'yes' if endpoint.dry_run else 'no'}.",
    ]
    ratios = ", ".join(f"{ratio} (`{value}`)" for ratio, (_, value) in endpoint.ratios.items())
    options = table(("option", "values", "default", "not beside"), _options(endpoint, lists))
    return "\n".join(
        (
            f"## {endpoint.model}\n",
            " ".join(fact for fact in facts if fact) + "\n",
            options,
            f"`aspect_ratio` is sent as {' or '.join(f'`{field}`' for field in sorted(sent))}: {ratios}.\n",
            table(("price tier", "USD per image", "since", "source"), _prices(endpoint, book)),
        )
    )


def _options(endpoint: Endpoint, lists: dict[tuple[str, ...], str]) -> Iterator[Sequence[str]]:
    for option in endpoint.options:
        beside = ", ".join(f"`{name}`" for name in option.excludes)
        yield f"`{option.name}`", _values(option, lists), _default(endpoint, option), beside


def _default(endpoint: Endpoint, option: Option) -> str:
    if option.name in undecided(endpoint, ()):
        return "must be written"
    if option.default is None:
        return "-"
    return f"`{str(option.default).lower() if isinstance(option.default, bool) else option.default}`"


def _values(option: Option, lists: dict[tuple[str, ...], str]) -> str:
    named = ", ".join(f"`{value}`" for value in option.values)
    if option.values in lists:
        title = lists[option.values]
        named = f"one of {len(option.values)}: [{title}](#{_anchor(title)})"
    match option.kind:
        case Kind.SIZE if option.grid is not None:
            grid = option.grid
            free = f"any size on a grid of {grid.step} px, sides {grid.least} to {grid.most}, at most {grid.ratio}:1"
            return f"{named}, or {free}" if named else free
        case Kind.TEXT:
            return f"a text of up to {option.max_length:,} characters" if option.max_length else "a text"
        case Kind.BOOLEAN:
            return "`true`, `false`"
        case Kind.PALETTE:
            return f"{named}, or a list of up to {option.max_length} colours, weighted or not"
        case Kind.CODES:
            return f"a list of up to {option.max_length} codes of eight hexadecimal digits"
        case _:
            return named


def _prices(endpoint: Endpoint, book: PriceBook) -> Iterator[Sequence[str]]:
    known = _known(endpoint, book)
    by = " / ".join(f"`{by.option}`" for by in endpoint.priced_by)
    for tier in price_tiers(endpoint):
        price = known.get(tier)
        name = f"{by}: `{tier}`" if by else "all"
        yield (name, _usd(price.usd), str(price.since), price.source) if price else (name, "not known", "", "")


def _known(endpoint: Endpoint, book: PriceBook) -> dict[str, Price]:
    """The latest price of each tier: a page has no today."""
    found = {tier: book.prices.get((endpoint.model, tier)) for tier in price_tiers(endpoint)}
    return {tier: prices[-1] for tier, prices in found.items() if prices}


def _span(prices: Iterable[Price]) -> str:
    amounts = sorted({price.usd for price in prices})
    return " to ".join(_usd(usd) for usd in (amounts[0], amounts[-1])[: len(amounts)]) if amounts else "not known"


def _usd(usd: Decimal) -> str:
    return f"{usd:.2f}" if usd == usd.quantize(Decimal("0.01")) else f"{usd.normalize():f}"


def _long_lists() -> dict[tuple[str, ...], str]:
    """Vocabularies too long for a table, each once, named after where it first occurs."""
    found: dict[tuple[str, ...], str] = {}
    for endpoint in CATALOGUE.values():
        for option in endpoint.options:
            if len(option.values) > _MANY:
                found.setdefault(option.values, f"{option.name} of {endpoint.model}")
    return found


def _anchor(title: str) -> str:
    """The anchor that GitHub makes of a heading."""
    kept = "".join(character for character in title.lower() if character.isalnum() or character in " -_")
    return kept.replace(" ", "-")
