"""What each endpoint takes: one entry per model, and adding a model is adding an entry.

Everything the manifest checks before money is spent, everything the client puts on the wire and everything
the sandbox imitates is read from here. It knows the vendor's words and nothing of ours, and does no I/O.
A `default` is the value the vendor uses when a field is left out. Once released a default never changes
here: fingerprints leave defaults out, so a changed one would make history look like something else. Where
the vendor's default is not certain it is None, and every written value counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from flows.ideogram import presets

SEED_MAX = 2**31 - 1


class Kind(StrEnum):
    """The shape of an option's value."""

    ENUM = "enum"
    TEXT = "text"
    BOOLEAN = "boolean"
    PALETTE = "palette"
    CODES = "codes"


@dataclass(frozen=True)
class Option:
    """One field of a request, in the vendor's own name.

    `values` are the canonical spellings of an enum as they go on the wire. `max_length` bounds a text
    (characters) or a list (members). `excludes` names options that may not be given beside this one.
    """

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    default: Any = None
    max_length: int | None = None
    excludes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Endpoint:
    """One model on one route.

    `ratios` maps ``W:H`` to (field, value): what to send for that shape. `wraps` is the JSON key the legacy
    route nests its request under. `price_option` is the option whose value picks the price tier, with the
    tier used when it is not given.
    """

    model: str
    version: str
    path: str
    synchronous: bool
    options: tuple[Option, ...]
    ratios: Mapping[str, tuple[str, str]]
    aliases: tuple[str, ...] = ()
    wraps: str | None = None
    fixed: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    accepts_private: bool = False
    dry_run: bool = False
    max_images: int = 8
    max_prompt: int = 10_000
    price_option: tuple[str, str] | None = None

    def option(self, name: str) -> Option | None:
        """The option of that exact name, or None."""
        return next((option for option in self.options if option.name == name), None)

    @property
    def asynchronous(self) -> bool:
        """Whether a submission is answered at once with an id to poll."""
        return not self.synchronous


def request_body(
    endpoint: Endpoint,
    *,
    prompt: str,
    options: Mapping[str, Any],
    seed: int | None,
    images: int,
    private: bool,
) -> dict[str, Any]:
    """The JSON body that buys `images` pictures. `options` are canonical (see the manifest's checks)."""
    request: dict[str, Any] = {"prompt": prompt, **endpoint.fixed, **options, "num_images": images}
    if seed is not None:
        request["seed"] = seed
    if endpoint.accepts_private and private:
        request["private"] = True
    if endpoint.asynchronous:
        request["async"] = True
    return {endpoint.wraps: request} if endpoint.wraps else request


def price_tier(endpoint: Endpoint, options: Mapping[str, Any]) -> str:
    """The tier of the price book that these options fall in; ``default`` where a model has one price."""
    if endpoint.price_option is None:
        return "default"
    name, default = endpoint.price_option
    return str(options.get(name, default))


def _ratios(ratios: Iterable[str], option: str, spelling: str) -> Mapping[str, tuple[str, str]]:
    """`spelling` is a format with ``{w}`` and ``{h}``."""
    table = {}
    for ratio in ratios:
        w, h = ratio.split(":")
        table[ratio] = (option, spelling.format(w=w, h=h))
    return MappingProxyType(table)


_MAGIC = Option("magic_prompt", Kind.ENUM, ("auto", "on", "off"), default="auto")
_NEGATIVE = Option("negative_prompt", Kind.TEXT, max_length=10_000)
_COPYRIGHT = Option("enable_copyright_detection", Kind.BOOLEAN, default=False)

_IDEOGRAM_4_5 = Endpoint(
    model="ideogram-4-5",
    aliases=("4.5", "v4.5", "v_4_5", "ideogram-4.5"),
    version="v2",
    path="/v2/image/generate/ideogram-4-5",
    synchronous=False,
    options=(
        Option("size", Kind.ENUM, ("auto", *presets.SIZES_V4_2K, *presets.SIZES_V4_1K), default="auto"),
        # very_low exists, but only together with input images, which this release does not send.
        Option("quality", Kind.ENUM, ("low", "medium", "high"), default="high"),
        _MAGIC,
        _COPYRIGHT,
    ),
    ratios=MappingProxyType({ratio: ("size", size) for ratio, size in presets.SIZES_V4_BY_RATIO.items()}),
    accepts_private=True,
    dry_run=True,
    price_option=("quality", "high"),
)

_IDEOGRAM_3 = Endpoint(
    model="ideogram-3",
    aliases=("3.0", "v3", "v_3", "ideogram-3.0", "ideogram-v3"),
    version="v2",
    path="/v2/image/generate/ideogram-3",
    synchronous=False,
    options=(
        Option(
            "aspect_ratio",
            Kind.ENUM,
            ("auto", *(ratio.replace(":", "x") for ratio in presets.RATIOS_V3)),
            excludes=("resolution",),
        ),
        Option("resolution", Kind.ENUM, presets.RESOLUTIONS_V3, excludes=("aspect_ratio",)),
        Option("rendering_speed", Kind.ENUM, ("turbo", "default", "quality"), default="default"),
        _MAGIC,
        _NEGATIVE,
        Option(
            "style_type",
            Kind.ENUM,
            ("auto", "general", "realistic", "design", "fiction"),
            excludes=("style_codes",),
        ),
        Option("style_preset", Kind.ENUM, presets.STYLE_PRESETS_V3, excludes=("style_codes",)),
        Option("style_codes", Kind.CODES, max_length=8, excludes=("style_type", "style_preset")),
        Option("color_palette", Kind.PALETTE, presets.PALETTE_PRESETS, max_length=8),
        _COPYRIGHT,
    ),
    ratios=_ratios(presets.RATIOS_V3, "aspect_ratio", "{w}x{h}"),
    accepts_private=True,
    dry_run=True,
    price_option=("rendering_speed", "default"),
)


def _legacy(model: str, *, negative: bool, styles: bool, sizes: bool, palette: bool) -> Endpoint:
    options = [
        Option(
            "aspect_ratio",
            Kind.ENUM,
            tuple("ASPECT_" + ratio.replace(":", "_") for ratio in presets.RATIOS_LEGACY),
            default="ASPECT_1_1",
            excludes=("resolution",) if sizes else (),
        ),
        Option("magic_prompt_option", Kind.ENUM, ("AUTO", "ON", "OFF"), default="AUTO"),
    ]
    if negative:
        options.append(_NEGATIVE)
    if styles:
        names = ("AUTO", "GENERAL", "REALISTIC", "DESIGN", "RENDER_3D", "ANIME", "FICTION")
        options.append(Option("style_type", Kind.ENUM, names))
    if sizes:
        values = tuple("RESOLUTION_" + size.replace("x", "_") for size in presets.RESOLUTIONS_LEGACY)
        options.append(Option("resolution", Kind.ENUM, values, excludes=("aspect_ratio",)))
    if palette:
        presets_upper = tuple(name.upper() for name in presets.PALETTE_PRESETS)
        options.append(Option("color_palette", Kind.PALETTE, presets_upper, max_length=8))
    return Endpoint(
        model=model,
        aliases=(model.replace("_", "-").lower(), model.replace("V_", "V").replace("_", "-").lower()),
        version="legacy",
        path="/generate",
        synchronous=True,
        options=tuple(options),
        ratios=_ratios(presets.RATIOS_LEGACY, "aspect_ratio", "ASPECT_{w}_{h}"),
        wraps="image_request",
        fixed=MappingProxyType({"model": model}),
    )


CATALOGUE: Mapping[str, Endpoint] = MappingProxyType(
    {
        endpoint.model: endpoint
        for endpoint in (
            _IDEOGRAM_4_5,
            _IDEOGRAM_3,
            _legacy("V_1", negative=True, styles=False, sizes=False, palette=False),
            _legacy("V_1_TURBO", negative=True, styles=False, sizes=False, palette=False),
            _legacy("V_2", negative=True, styles=True, sizes=True, palette=True),
            _legacy("V_2_TURBO", negative=True, styles=True, sizes=True, palette=True),
            _legacy("V_2A", negative=False, styles=True, sizes=False, palette=False),
            _legacy("V_2A_TURBO", negative=False, styles=True, sizes=False, palette=False),
        )
    }
)


def find(name: str) -> Endpoint | None:
    """The endpoint of a model name or alias, in any case; None if there is none."""
    wanted = name.strip().lower()
    for endpoint in CATALOGUE.values():
        if wanted == endpoint.model.lower() or wanted in endpoint.aliases:
            return endpoint
    return None
