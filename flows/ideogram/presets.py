"""The vendor's fixed vocabularies: sizes, ratios, styles, palettes. Data only.

Sources: the vendor's v2 documentation for ideogram-4-5 (read 2026-10-02) and the OpenAPI file of the
v1 and legacy routes (about April 2026). Ratios are written ``W:H`` here, as people write them; each
endpoint says in the catalogue how it spells them on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping

STYLE_PRESETS_V3: tuple[str, ...] = tuple(
    """
    80s_illustration 90s_nostalgia abstract_organic analog_nostalgia art_brut art_deco art_poster aura
    avant_garde bauhaus blueprint blurry_motion bright_art c4d_cartoon childrens_book collage
    coloring_book_i coloring_book_ii cubism dark_aura doodle double_exposure dramatic_cinema editorial
    emotional_minimal ethereal_party expired_film flat_art flat_vector forest_reverie geo_minimalist
    glass_prism golden_hour graffiti_i graffiti_ii halftone_print high_contrast hippie_era iconic
    japandi_fusion jazzy long_exposure magazine_editorial minimal_illustration mixed_media monochrome
    nightlife oil_painting old_cartoons paint_gesture pop_art retro_etching riviera_pop spotlight_80s
    stylized_red surreal_collage travel_poster vintage_geo vintage_poster watercolor weird woodblock_print
    """.split()
)

PALETTE_PRESETS: tuple[str, ...] = (
    "ember",
    "fresh",
    "jungle",
    "magic",
    "melon",
    "mosaic",
    "pastel",
    "ultramarine",
)

RATIOS_V3: tuple[str, ...] = tuple("1:3 3:1 1:2 2:1 9:16 16:9 10:16 16:10 2:3 3:2 3:4 4:3 4:5 5:4 1:1".split())

RATIOS_LEGACY: tuple[str, ...] = tuple("10:16 16:10 9:16 16:9 3:2 2:3 4:3 3:4 1:1 1:3 3:1".split())

RESOLUTIONS_V3: tuple[str, ...] = tuple(
    """
    512x1536 576x1408 576x1472 576x1536 640x1344 640x1408 640x1472 640x1536 704x1152 704x1216 704x1280
    704x1344 704x1408 704x1472 736x1312 768x1088 768x1216 768x1280 768x1344 800x1280 832x960 832x1024
    832x1088 832x1152 832x1216 832x1248 864x1152 896x960 896x1024 896x1088 896x1120 896x1152 960x832
    960x896 960x1024 960x1088 1024x832 1024x896 1024x960 1024x1024 1088x768 1088x832 1088x896 1088x960
    1120x896 1152x704 1152x832 1152x864 1152x896 1216x704 1216x768 1216x832 1248x832 1280x704 1280x768
    1280x800 1312x736 1344x640 1344x704 1344x768 1408x576 1408x640 1408x704 1472x576 1472x640 1472x704
    1536x512 1536x576 1536x640
    """.split()
)

RESOLUTIONS_LEGACY: tuple[str, ...] = tuple(
    """
    512x1536 576x1408 576x1472 576x1536 640x1024 640x1344 640x1408 640x1472 640x1536 704x1152 704x1216
    704x1280 704x1344 704x1408 704x1472 720x1280 736x1312 768x1024 768x1088 768x1152 768x1216 768x1232
    768x1280 768x1344 832x960 832x1024 832x1088 832x1152 832x1216 832x1248 864x1152 896x960 896x1024
    896x1088 896x1120 896x1152 960x832 960x896 960x1024 960x1088 1024x640 1024x768 1024x832 1024x896
    1024x960 1024x1024 1088x768 1088x832 1088x896 1088x960 1120x896 1152x704 1152x768 1152x832 1152x864
    1152x896 1216x704 1216x768 1216x832 1232x768 1248x832 1280x704 1280x720 1280x768 1280x800 1312x736
    1344x640 1344x704 1344x768 1408x576 1408x640 1408x704 1472x576 1472x640 1472x704 1536x512 1536x576
    1536x640
    """.split()
)

SIZES_V4_2K: tuple[str, ...] = tuple(
    """
    2048x2048 1440x2880 2880x1440 1664x2496 2496x1664 1792x2240 2240x1792 1440x2560 2560x1440 1600x2560
    2560x1600 1728x2304 2304x1728 1296x3168 3168x1296 1152x2944 2944x1152 1248x3328 3328x1248 1280x3072
    3072x1280 1024x3072 3072x1024
    """.split()
)

SIZES_V4_1K: tuple[str, ...] = tuple(
    """
    1024x1024 896x1120 1120x896 864x1152 1152x864 832x1248 1248x832 800x1280 1280x800 720x1280 1280x720
    720x1440 1440x720
    """.split()
)

# Two more that only 4.0 has.
SIZES_V4_0_1K: tuple[str, ...] = ("512x1536", "1536x512")

SIZES_V4_BY_RATIO: Mapping[str, str] = {
    "1:1": "2048x2048",
    "1:2": "1440x2880",
    "2:1": "2880x1440",
    "2:3": "1664x2496",
    "3:2": "2496x1664",
    "4:5": "1792x2240",
    "5:4": "2240x1792",
    "9:16": "1440x2560",
    "16:9": "2560x1440",
    "10:16": "1600x2560",
    "16:10": "2560x1600",
    "3:4": "1728x2304",
    "4:3": "2304x1728",
    "1:3": "1024x3072",
    "3:1": "3072x1024",
}
