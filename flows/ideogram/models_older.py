"""The text-to-image models of the v1 and legacy routes, for those whose scripts and pictures depend on them.

Both answer only when the pictures are done, and give no id to ask for later. Data only. All of it is certain
(the vendor's OpenAPI file of about April 2026) where nothing else is said.
"""

from __future__ import annotations

from types import MappingProxyType

from flows.ideogram import presets
from flows.ideogram.endpoints import Endpoint, Kind, Option, PricedBy, ratio_table

_NEGATIVE = Option("negative_prompt", Kind.TEXT, max_length=10_000)
_PALETTE = Option("color_palette", Kind.PALETTE, tuple(name.upper() for name in presets.PALETTE_PRESETS), max_length=8)

_V1_IDEOGRAM_3 = Endpoint(
    model="v1/ideogram-v3",
    aliases=("v1/ideogram-3", "v1/ideogram-3.0", "/v1/ideogram-v3/generate"),
    version="v1",
    path="/v1/ideogram-v3/generate",
    synchronous=True,
    options=(
        Option(
            "aspect_ratio",
            Kind.ENUM,
            tuple(ratio.replace(":", "x") for ratio in presets.RATIOS_V3),
            default="1x1",
            excludes=("resolution",),
        ),
        Option("resolution", Kind.ENUM, presets.RESOLUTIONS_V3, excludes=("aspect_ratio",)),
        # BALANCED is in the OpenAPI file only; no page gives it a price.
        Option("rendering_speed", Kind.ENUM, ("FLASH", "TURBO", "BALANCED", "DEFAULT", "QUALITY"), default="DEFAULT"),
        Option("magic_prompt", Kind.ENUM, ("AUTO", "ON", "OFF")),
        _NEGATIVE,
        # The file also knows CUSTOM and STYLIZED: they belong to custom models, which cost more.
        Option(
            "style_type",
            Kind.ENUM,
            ("AUTO", "GENERAL", "REALISTIC", "DESIGN", "FICTION"),
            default="GENERAL",
            excludes=("style_codes",),
        ),
        # That codes and presets exclude each other is documented for v2 only; likely here.
        Option(
            "style_preset",
            Kind.ENUM,
            tuple(name.upper() for name in presets.STYLE_PRESETS_V3),
            excludes=("style_codes",),
        ),
        Option("style_codes", Kind.CODES, max_length=8, excludes=("style_type", "style_preset")),
        _PALETTE,
        # Newer than the file: from the vendor's pages of mid-2026.
        Option("enable_copyright_detection", Kind.BOOLEAN, default=False),
    ),
    ratios=ratio_table(presets.RATIOS_V3, "aspect_ratio", "{w}x{h}"),
    priced_by=(PricedBy("rendering_speed", "DEFAULT"),),
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
        options.append(_PALETTE)
    return Endpoint(
        model=model,
        aliases=(model.replace("_", "-").lower(), model.replace("V_", "V").replace("_", "-").lower()),
        version="legacy",
        path="/generate",
        synchronous=True,
        options=tuple(options),
        ratios=ratio_table(presets.RATIOS_LEGACY, "aspect_ratio", "ASPECT_{w}_{h}"),
        wraps="image_request",
        fixed=MappingProxyType({"model": model}),
    )


ENDPOINTS = (
    _V1_IDEOGRAM_3,
    _legacy("V_1", negative=True, styles=False, sizes=False, palette=False),
    _legacy("V_1_TURBO", negative=True, styles=False, sizes=False, palette=False),
    _legacy("V_2", negative=True, styles=True, sizes=True, palette=True),
    _legacy("V_2_TURBO", negative=True, styles=True, sizes=True, palette=True),
    _legacy("V_2A", negative=False, styles=True, sizes=False, palette=False),
    _legacy("V_2A_TURBO", negative=False, styles=True, sizes=False, palette=False),
)
