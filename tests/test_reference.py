"""Reference pages: a model's fields in words, bounds and defaults included."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, BaseModel, Field

from flows.checks.policy import Rules
from flows.documents.reference import fields, table
from flows.manifest.models import Defaults, File, Overrides, Prompt
from flows.manifest.page import manifest_page
from flows.settings import Sections
from flows.settings.page import settings_page

Name = Annotated[str, AfterValidator(str.lower)]


class Inner(BaseModel):
    """Two of something."""

    one: int
    two: int = 2


class Everything(BaseModel):
    """One field of each kind."""

    text: str
    short: str = Field("a", max_length=20, description="Words | signs.")
    few: tuple[str, ...] = Field(("x",), max_length=8)
    percent: float = Field(0.5, ge=0, le=1)
    cap: Annotated[Decimal, Field(gt=0)] | None = Field(Decimal("5.00"))
    images: int | None = Field(None, ge=1)
    seconds: float = Field(1.0, gt=0, le=86_400)
    word: Literal["hold", "go"] = "hold"
    switch: bool = True
    options: Mapping[str, str] = {}
    inner: Inner | None = None
    name: Name
    other: Name | None = Field(None, alias="other-name")


def rows(**how: object) -> dict[str, tuple[str, str]]:
    """Kind and default by key."""
    return {key: (kind, default) for key, kind, default, _ in fields(Everything, [(Name, "name")], **how)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "kind", "default"),
    [
        ("text", "text", "required"),
        ("short", "text of up to 20 characters", "`a`"),
        ("few", "list of up to 8: text", '`["x"]`'),
        ("percent", "number, 0 to 1", "`0.5`"),
        ("cap", "amount, over 0 or `null`", "`5.00`"),
        ("images", "whole number, at least 1 or `null`", "`null`"),
        ("seconds", "number, over 0, up to 86,400", "`1.0`"),
        ("word", "`hold`, `go`", "`hold`"),
        ("switch", "`true` or `false`", "`true`"),
        ("options", "map", "`{}`"),
        ("inner", "map of `one`, `two` or `null`", "`null`"),
        ("name", "name", "required"),
        ("other-name", "name or `null`", "`null`"),
    ],
)
def test_a_field_in_words(key: str, kind: str, default: str) -> None:
    """What it takes, with its bounds, and what it is when left out."""
    assert rows()[f"`{key}`"] == (kind, default)


def test_null_is_left_out_where_it_is_refused() -> None:
    """A manifest's key has a value or is not there."""
    found = rows(nulls=False)
    assert found["`images`"] == ("whole number, at least 1", "")
    assert found["`other-name`"] == ("name", "")
    assert "`cap`" not in rows(leave_out=["cap"])


def test_a_cell_cannot_end_its_table() -> None:
    """A bar in a description stays one cell."""
    (line,) = [line for line in table("abcd", fields(Everything)).splitlines() if "signs" in line]
    assert line.count("|") == 5


@pytest.mark.parametrize("model", [*(type(getattr(Sections(), name)) for name in Sections.model_fields), Rules])
def test_every_setting_is_told_of(model: type[BaseModel]) -> None:
    """No kind is left as `anything`, and every key that holds a value says what it means."""
    for key, kind, _, meaning in fields(model):
        assert "anything" not in kind, key
        assert meaning or kind.startswith("map of"), key


@pytest.mark.parametrize("model", [File, Defaults, Overrides, Prompt])
def test_every_key_of_a_manifest_is_told_of(model: type[BaseModel]) -> None:
    """Each stands in the page, with what it means."""
    page = manifest_page()
    for key, _, _, meaning in fields(model):
        assert f"| {key} |" in page, key
        assert meaning, key


def test_every_section_has_its_own() -> None:
    """A section that is added to the settings is added to the page."""
    page = settings_page()
    assert all(f"## `{name}`" in page for name in Sections.model_fields)
