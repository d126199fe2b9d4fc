"""The text-to-image models of the v2 API: ``POST /v2/image/generate/{model}``. Data only.

How sure each fact is, is said beside it: *certain* was read in the vendor's own documentation, *likely* in
one good source that is not the vendor or in an older version of the same endpoint, *unknown* is left out and
can be sent through `options_unchecked`. All routes here take ``async``, ``private`` and ``?dry_run=true``.
"""

from __future__ import annotations

from types import MappingProxyType

from flows.ideogram import presets
from flows.ideogram.endpoints import Endpoint, Grid, Kind, Option, PricedBy, ratio_table, size_table

_MAGIC = Option("magic_prompt", Kind.ENUM, ("auto", "on", "off"), default="auto")
_NEGATIVE = Option("negative_prompt", Kind.TEXT, max_length=10_000)
_COPYRIGHT = Option("enable_copyright_detection", Kind.BOOLEAN, default=False)
_SPEED = Option("rendering_speed", Kind.ENUM, ("turbo", "default", "quality"), default="default")
_BY_SPEED = PricedBy("rendering_speed", "default")
# The documented ratios of 3.0, and the vendor's choice. `auto` stands for "not given" in a table of ratios.
_RATIO = Option("aspect_ratio", Kind.ENUM, ("auto", *(ratio.replace(":", "x") for ratio in presets.RATIOS_V3)))
_2K = 2048 * 2048


def _path(model: str) -> str:
    return f"/v2/image/generate/{model}"


# Likely throughout: only the head of the vendor's page was seen (text or JSON prompt, asynchronous, price
# quotes), the rest is what two resellers publish. `magic_prompt` and the name of the field for a transparent
# background are unknown. The default quality is unknown too, and decides the price: it must be written.
_IDEOGRAM_4_6 = Endpoint(
    model="ideogram-4-6",
    aliases=("4.6", "v4.6", "v_4_6", "ideogram-4.6"),
    version="v2",
    path=_path("ideogram-4-6"),
    synchronous=False,
    options=(
        Option("size", Kind.SIZE, ("auto",), grid=Grid(step=32, least=256, most=4096, ratio=6)),
        Option("quality", Kind.ENUM, ("very_low", "low", "medium", "high")),
    ),
    ratios=size_table(presets.SIZES_V4_BY_RATIO, "size"),
    accepts_private=True,
    dry_run=True,
    # A reseller bills `auto` ("a size of about 2K") as 2K, and ends 2K at 2048 x 2048 pixels of any shape.
    priced_by=(
        PricedBy("quality", None),
        PricedBy("size", "2k", names=MappingProxyType({"auto": "2k"}), pixels=((_2K, "2k"), (4096 * 4096, "4k"))),
    ),
    unsold=frozenset({"very_low/4k"}),
    json_prompts=True,
)

# Certain.
_IDEOGRAM_4_5 = Endpoint(
    model="ideogram-4-5",
    aliases=("4.5", "v4.5", "v_4_5", "ideogram-4.5"),
    version="v2",
    path=_path("ideogram-4-5"),
    synchronous=False,
    options=(
        Option("size", Kind.ENUM, ("auto", *presets.SIZES_V4_2K, *presets.SIZES_V4_1K), default="auto"),
        # very_low exists, but only together with input images, which this release does not send.
        Option("quality", Kind.ENUM, ("low", "medium", "high"), default="high"),
        _MAGIC,
        _COPYRIGHT,
    ),
    ratios=size_table(presets.SIZES_V4_BY_RATIO, "size"),
    accepts_private=True,
    dry_run=True,
    priced_by=(PricedBy("quality", "high"),),
    json_prompts=True,
)

# Certain: the names, the 2K sizes, the speeds and their default. Likely: the 1K sizes, that magic prompt is
# `auto` when left out. Unknown: which size is made when none is given.
_IDEOGRAM_4 = Endpoint(
    model="ideogram-4",
    aliases=("4.0", "v4", "v_4", "ideogram-4.0", "ideogram-v4"),
    version="v2",
    path=_path("ideogram-4"),
    synchronous=False,
    options=(
        Option("resolution", Kind.ENUM, (*presets.SIZES_V4_2K, *presets.SIZES_V4_1K, *presets.SIZES_V4_0_1K)),
        _SPEED,
        Option("magic_prompt", Kind.ENUM, ("auto", "on", "off")),
        _COPYRIGHT,
    ),
    ratios=size_table(presets.SIZES_V4_BY_RATIO, "resolution"),
    accepts_private=True,
    dry_run=True,
    priced_by=(_BY_SPEED,),
    json_prompts=True,
)

# Certain: the names, the four resolutions, that they are budgets of pixels and that above 2k is an upscale
# that costs more. Likely: JSON prompts (v1 takes them), that 1k, 2k and nothing cost the same: nothing was
# quoted at the very price of ideogram-4. Unknown: the default resolution, and two of the 18 ratios.
_IDEOGRAM_4_TRANSPARENT = Endpoint(
    model="ideogram-4-transparent",
    aliases=("ideogram-4.0-transparent", "v4-transparent"),
    version="v2",
    path=_path("ideogram-4-transparent"),
    synchronous=False,
    options=(
        _RATIO,
        Option("output_resolution", Kind.ENUM, ("1k", "2k", "4k", "8k")),
        _SPEED,
        Option("magic_prompt", Kind.ENUM, ("auto", "on", "off")),
    ),
    ratios=ratio_table(presets.RATIOS_V3, "aspect_ratio", "{w}x{h}"),
    accepts_private=True,
    dry_run=True,
    priced_by=(_BY_SPEED, PricedBy("output_resolution", "2k", names=MappingProxyType({"1k": "2k"}))),
    json_prompts=True,
    transparent=True,
)

# Certain.
_IDEOGRAM_3 = Endpoint(
    model="ideogram-3",
    aliases=("3.0", "v3", "v_3", "ideogram-3.0", "ideogram-v3"),
    version="v2",
    path=_path("ideogram-3"),
    synchronous=False,
    options=(
        Option(_RATIO.name, Kind.ENUM, _RATIO.values, excludes=("resolution",)),
        Option("resolution", Kind.ENUM, presets.RESOLUTIONS_V3, excludes=("aspect_ratio",)),
        _SPEED,
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
    ratios=ratio_table(presets.RATIOS_V3, "aspect_ratio", "{w}x{h}"),
    accepts_private=True,
    dry_run=True,
    priced_by=(_BY_SPEED,),
)

# Certain for v1, where the same endpoint is documented in full; likely in this spelling.
_IDEOGRAM_3_TRANSPARENT = Endpoint(
    model="ideogram-3-transparent",
    aliases=("ideogram-3.0-transparent", "v3-transparent"),
    version="v2",
    path=_path("ideogram-3-transparent"),
    synchronous=False,
    options=(
        _RATIO,
        Option("upscale_factor", Kind.ENUM, ("x1", "x2", "x4"), default="x1"),
        _SPEED,
        Option("magic_prompt", Kind.ENUM, ("auto", "on", "off")),
        _NEGATIVE,
    ),
    ratios=ratio_table(presets.RATIOS_V3, "aspect_ratio", "{w}x{h}"),
    accepts_private=True,
    dry_run=True,
    priced_by=(_BY_SPEED, PricedBy("upscale_factor", "x1")),
    transparent=True,
)


def _ideogram_2(model: str, *aliases: str, negative: bool) -> Endpoint:
    """Certain: the names of the options. Likely: their values, which are those of the legacy route.

    Magic prompt and free resolutions are unknown in v2.
    """
    return Endpoint(
        model=model,
        aliases=aliases,
        version="v2",
        path=_path(model),
        synchronous=False,
        options=(
            Option("aspect_ratio", Kind.ENUM, tuple(ratio.replace(":", "x") for ratio in presets.RATIOS_LEGACY)),
            Option("rendering_speed", Kind.ENUM, ("turbo", "default"), default="default"),
            Option("style_type", Kind.ENUM, ("auto", "general", "realistic", "design", "render_3d", "anime")),
            *((_NEGATIVE,) if negative else ()),
        ),
        ratios=ratio_table(presets.RATIOS_LEGACY, "aspect_ratio", "{w}x{h}"),
        accepts_private=True,
        dry_run=True,
        priced_by=(_BY_SPEED,),
    )


# The first is the one the vendor tells people to start with.
ENDPOINTS = (
    _IDEOGRAM_4_5,
    _IDEOGRAM_4_6,
    _IDEOGRAM_4,
    _IDEOGRAM_4_TRANSPARENT,
    _IDEOGRAM_3,
    _IDEOGRAM_3_TRANSPARENT,
    _ideogram_2("ideogram-2", "ideogram-2.0", negative=True),
    _ideogram_2("ideogram-2a", "ideogram-2.0a", negative=False),
)
