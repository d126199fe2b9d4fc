"""Names that a manifest uses and another file defines: wrong ones are told with their place and the nearest one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flows.errors import InvalidInput
from flows.manifest.elsewhere import Elsewhere
from flows.manifest.load import Loaded, load

MANIFEST = """\
version: 1
brand: helio
defaults: {model: ideogram-3, retention: master}
prompts:
  - id: sea
    prompt: "A calm sea"
    retention: trials
    matrix:
      season:
        summer: {retention: trails, brand: hellio}
        winter: {retention: masters}
"""
CLASSES = ("masters", "trials")


def read(elsewhere: Elsewhere | None) -> Loaded:
    """The manifest, beside those other files."""
    return load([("m.yaml", MANIFEST.encode())], datetime(2026, 11, 22, tzinfo=UTC), UTC, elsewhere=elsewhere)


def test_a_class_that_is_not_there_is_told_wherever_it_is_written() -> None:
    """Also where another layer displaces it; with line, column, key and the nearest name."""
    with pytest.raises(InvalidInput) as refusal:
        read(Elsewhere(("helio", "hellio"), CLASSES, "configs/retention.yaml"))
    told = [(one.line, one.key, one.message, one.hint) for one in refusal.value.problems]
    assert told == [
        (3, "defaults.retention", "`master` is no class of configs/retention.yaml", "Did you mean `masters`?"),
        (
            10,
            "prompts[0].matrix.season.summer.retention",
            "`trails` is no class of configs/retention.yaml",
            "Did you mean `trials`?",
        ),
    ]


def test_a_policy_without_classes_is_said_to_have_none() -> None:
    """Nothing is near to nothing."""
    with pytest.raises(InvalidInput) as refusal:
        read(Elsewhere((), (), "configs/retention.yaml"))
    assert {one.hint for one in refusal.value.problems} == {"It has no classes yet."}


@pytest.mark.parametrize(("brands", "warned"), [((), []), (("helio",), [10]), (("nova",), [2, 10])])
def test_a_brand_without_a_file_is_odd_where_others_have_one(brands: tuple[str, ...], warned: list[int]) -> None:
    """A brand is a label, so this is a warning; a project without brand files is not told anything."""
    warnings = read(Elsewhere(brands)).warnings
    assert [one.line for one in warnings if one.key.endswith("brand")] == warned
    if brands == ("helio",):
        assert warnings[0].hint == "Did you mean `helio`?"


def test_whoever_only_buys_is_not_held_up() -> None:
    """Classes are compared where somebody asks for it: a wrong one keeps its pictures, which is safe."""
    assert len(read(None).variants) == 2
