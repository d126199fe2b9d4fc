"""The shape of a file in the open ``_brand.yml`` format, key by key.

Strict, so that a slip of the pen is told of. Ours are no keys of it: tolerances, words and gates of a brand stand in
``configs/audit.yaml``. Colours are hexadecimal codes or names of other colours of the file. Knows no other file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

DUTIES = (
    *("foreground", "background", "primary", "secondary", "tertiary", "success", "info", "warning", "danger"),
    *("light", "dark", "link"),
)
"""Semantic names, as the format has them."""

Text = Annotated[str, Field(min_length=1, max_length=500)]
Size = Text | int | float
Weight = int | Text


def _nothing(value: Any) -> Any:
    if value is None:
        hint = "Leave the key out. A colour is written in quotes, as '#F5A623': in YAML a # begins a comment."
        raise PydanticCustomError("nothing", "has no value", {"hint": hint})
    return value


Given = BeforeValidator(_nothing)
Code = Annotated[Text, Given]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", populate_by_name=True)


class Name(_Strict):
    """A name, long and short."""

    short: Text | None = None
    full: Text | None = None


class Meta(_Strict):
    """Who the brand is."""

    name: Text | Name | None = None
    link: Text | Mapping[str, Text] | None = None


class Picture(_Strict):
    """An image file with its words."""

    path: Text
    alt: Text | None = None


class Shades(_Strict):
    """A logo for light and one for dark grounds."""

    light: Text | Picture | None = None
    dark: Text | Picture | None = None


class Logo(_Strict):
    """Logos by name, and which of them serve in three sizes."""

    images: Mapping[str, Text | Picture] = {}
    small: Text | Picture | Shades | None = None
    medium: Text | Picture | Shades | None = None
    large: Text | Picture | Shades | None = None


class Color(_Strict):
    """A palette of named colours, and what they are for."""

    palette: Mapping[str, Code] = {}
    foreground: Annotated[Text | None, Given] = None
    background: Annotated[Text | None, Given] = None
    primary: Annotated[Text | None, Given] = None
    secondary: Annotated[Text | None, Given] = None
    tertiary: Annotated[Text | None, Given] = None
    success: Annotated[Text | None, Given] = None
    info: Annotated[Text | None, Given] = None
    warning: Annotated[Text | None, Given] = None
    danger: Annotated[Text | None, Given] = None
    light: Annotated[Text | None, Given] = None
    dark: Annotated[Text | None, Given] = None
    link: Annotated[Text | None, Given] = None


class FontFile(_Strict):
    """One file of a typeface."""

    path: Text
    weight: Weight | None = None
    style: Literal["normal", "italic"] | None = None


class Font(_Strict):
    """A typeface and where it comes from."""

    family: Text
    source: Literal["file", "google", "bunny", "system"] = "system"
    weight: Weight | tuple[Weight, ...] | None = None
    style: Text | tuple[Text, ...] | None = None
    display: Literal["auto", "block", "swap", "fallback", "optional"] | None = None
    files: tuple[FontFile | Text, ...] = ()


class Face(_Strict):
    """How a kind of text is set."""

    family: Text | None = None
    size: Size | None = None
    weight: Weight | None = None
    style: Text | None = None
    line_height: Size | None = Field(None, alias="line-height")
    color: Text | None = None
    background_color: Text | None = Field(None, alias="background-color")
    decoration: Text | None = None


class Typography(_Strict):
    """Typefaces, and what they are for."""

    fonts: tuple[Font, ...] = ()
    base: Text | Face | None = None
    headings: Text | Face | None = None
    monospace: Text | Face | None = None
    monospace_inline: Text | Face | None = Field(None, alias="monospace-inline")
    monospace_block: Text | Face | None = Field(None, alias="monospace-block")
    link: Text | Face | None = None


class BrandFile(_Strict):
    """The whole file. `defaults` belongs to other programs and is left to them."""

    meta: Meta = Field(default_factory=Meta)
    logo: Text | Logo | None = None
    color: Color = Field(default_factory=Color)
    typography: Typography = Field(default_factory=Typography)
    defaults: Mapping[str, Any] = {}
