"""What holds whatever the pictures and the policy: the promises of the policy, tried on thousands of shelves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.retention.decide import Action, Decisions, decide
from flows.retention.policy import KeepClass, Match, Policy

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RULES = {
    "forever": st.just(True),
    "keep_within": st.integers(0, 60).map(lambda days: timedelta(days=days)),
    "keep_last": st.integers(1, 4),
    "keep_daily": st.integers(1, 4),
    "keep_weekly": st.integers(1, 4),
    "keep_monthly": st.integers(1, 4),
    "max_total": st.integers(1, 20_000),
    "max_images": st.integers(1, 12),
}
FINITE = {name: rule for name, rule in RULES.items() if name != "forever"}


@st.composite
def picture(draw: st.DrawFn) -> dict[str, Any]:
    at = NOW - timedelta(hours=draw(st.integers(-48, 24 * 90)))
    state = draw(st.sampled_from(["kept", "kept", "kept", "trashed", "purged", "missing"]))
    verdict = draw(st.sampled_from([None, None, None, "approved", "rejected"]))
    prompt = draw(st.sampled_from(["hero", "badge", "tile"]))
    return {
        "state": state,
        "stored_at": at,
        "requested_at": at,
        "trashed_at": NOW - timedelta(days=draw(st.integers(0, 14))) if state == "trashed" else None,
        "bytes": draw(st.integers(0, 5_000)),
        "origin": "sandbox",
        "brand": draw(st.sampled_from(["helio", None])),
        "campaign": draw(st.sampled_from(["summer", "winter", None])),
        "tags": draw(st.lists(st.sampled_from(["a", "b"]), unique=True)),
        "model": "ideogram-3",
        "prompt_id": prompt,
        "variant": draw(st.sampled_from([prompt, f"{prompt}@x=1"])),
        "retention": draw(st.sampled_from([None, None, None, "first", "nobody"])),
        "held": draw(st.sampled_from([False, False, False, True])),
        "approved": verdict == "approved",
        "verdict": verdict,
    }


@st.composite
def shelf(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = draw(st.lists(picture(), max_size=25))
    names = [f"image-{number:02}" for number in range(len(found))]
    for name, one in zip(names, found, strict=True):
        one["image_id"] = name
        one["sources"] = draw(st.lists(st.sampled_from(names), max_size=1)) if draw(st.booleans()) else []
    return found


def keep_class(name: str, match: Match | None) -> st.SearchStrategy[KeepClass]:
    rules = st.fixed_dictionaries({}, optional=FINITE).filter(bool)
    return st.builds(
        lambda given, empty: KeepClass(
            name, matches=(match,) if match else (), everything=match is None, allow_empty=empty, **given
        ),
        rules,
        st.booleans(),
    )


POLICIES = st.builds(
    lambda one, two: Policy((one, two), enabled=True),
    keep_class("first", Match((("tag", ("a",)), ("campaign", ("sum*",))))),
    keep_class("rest", None),
)


def decided(pictures: list[dict[str, Any]], policy: Policy, table: Any) -> tuple[Decisions, dict[str, Action]]:
    decisions = decide(table(pictures), policy, NOW)
    names = decisions.images["image_id"].to_pylist()
    return decisions, {str(name): Action(int(action)) for name, action in zip(names, decisions.action, strict=True)}


def table(pictures: list[dict[str, Any]]) -> pa.Table:
    """As `flows.history.current` types them."""
    from flows.history.schema import IMAGES
    from flows.history.standing import STANDING
    from flows.retention.decide import COLUMNS

    types = pa.schema([*IMAGES, *STANDING])
    schema = pa.schema([*(types.field(name) for name in COLUMNS), pa.field("sources", pa.list_(pa.string()))])
    return pa.Table.from_pylist(pictures, schema=schema)


LONG = settings(max_examples=50, deadline=None)


@LONG
@given(shelf(), POLICIES)
def test_protected_pictures_never_go(pictures: list[dict[str, Any]], policy: Policy) -> None:
    """Held, approved, from the future, unknown classes, sources of kept ones, and the newest of each prompt."""
    decisions, actions = decided(pictures, policy, table)
    files = [one for one in pictures if one["state"] in ("kept", "trashed")]
    for one in files:
        if one["held"] or one["approved"] or one["stored_at"] > NOW or one["retention"] == "nobody":
            assert actions[one["image_id"]] is Action.KEEP
        if actions[one["image_id"]] is Action.KEEP:
            there = {other["image_id"] for other in files}
            assert all(actions[source] is Action.KEEP for source in one["sources"] if source in there)
        if actions[one["image_id"]] is Action.PURGE:
            assert one["state"] == "trashed"
            assert NOW - one["trashed_at"] >= policy.grace
    if not any(one.allow_empty for one in policy.classes):
        for key in {(one["brand"], one["prompt_id"]) for one in files}:
            mine = [one for one in files if (one["brand"], one["prompt_id"]) == key]
            assert any(actions[one["image_id"]] is Action.KEEP for one in mine), key
    assert decisions.images.num_rows == len(pictures)


@LONG
@given(shelf(), POLICIES, st.data())
def test_more_rules_never_remove_more(pictures: list[dict[str, Any]], policy: Policy, data: st.DataObject) -> None:
    """Any rule added to any class, or loosened, keeps at least what was kept."""
    _, before = decided(pictures, policy, table)
    index = data.draw(st.integers(0, 1))
    one = policy.classes[index]
    rule = data.draw(st.sampled_from(sorted(RULES)))
    old, new = getattr(one, rule), data.draw(RULES[rule])
    more: dict[str, Any] = {rule: new if not old else max(old, new)}
    looser = replace(one, **more)
    classes = (looser, policy.classes[1]) if index == 0 else (policy.classes[0], looser)
    _, after = decided(pictures, replace(policy, classes=classes), table)
    assert {name for name, action in before.items() if action is Action.KEEP} <= {
        name for name, action in after.items() if action is Action.KEEP
    }


@LONG
@given(shelf(), POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_pictures_is_irrelevant(pictures: list[dict[str, Any]], policy: Policy, chance: Any) -> None:
    """However the history lists them, even where two are of the same moment."""
    shuffled = list(pictures)
    chance.shuffle(shuffled)
    assert decided(pictures, policy, table)[1] == decided(shuffled, policy, table)[1]


@LONG
@given(shelf(), POLICIES)
def test_everything_is_decided_once_and_said_in_words(pictures: list[dict[str, Any]], policy: Policy) -> None:
    """The outcomes part the pictures that have files, and each decision has a reason."""
    from flows.retention.reasons import grouped, says

    decisions, actions = decided(pictures, policy, table)
    rows = [decisions.kept, decisions.restored, decisions.newly_trashed, decisions.waiting, decisions.purged]
    found = sorted(int(row) for part in rows for row in part)
    assert found == [row for row, one in enumerate(pictures) if one["state"] in ("kept", "trashed")]
    for row in range(len(pictures)):
        word, _, reasons = says(decisions, row).partition(": ")
        assert word
        assert reasons
    for part in rows:
        assert sum(group.images for group in grouped(decisions, part)) == len(part)
    assert len(actions) == len(pictures)


@LONG
@given(shelf(), POLICIES, st.integers(1, 400))
def test_what_goes_today_goes_later_unless_it_comes_to_lead(
    pictures: list[dict[str, Any]], policy: Policy, days: int
) -> None:
    """Time alone saves nothing that rules on age let go: with no picture from the future, what is trashed stays so."""
    past = [one for one in pictures if one["stored_at"] <= NOW]
    for one in past:
        one["sources"] = []
    before = decided(past, policy, table)[1]
    later = decide(table(past), policy, NOW + timedelta(days=days))
    after = dict(zip(later.images["image_id"].to_pylist(), later.action, strict=True))
    assert all(after[name] != Action.KEEP for name, action in before.items() if action is not Action.KEEP)
