"""Money under every interleaving: processes, kills and sealers stepped at random through the real protocol."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from flows.history import claims
from flows.history import fold as fold_module
from flows.history.claims import ClaimDesk
from flows.history.fold import Book, fold
from flows.history.index import SealedIndex
from flows.history.journal import Journal
from flows.history.records import Claim


def _model() -> ModuleType:
    spec = importlib.util.spec_from_file_location("history_model", Path(__file__).with_name("model.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


model: Any = _model()


def _lives(seeds: Iterable[int], **options: Any) -> None:
    for seed in seeds:
        after = model.live(seed, **options)
        assert after.paid <= after.wanted, f"seed {seed}: paid twice: {after}"
        assert after.image_rows == after.images_paid_known, f"seed {seed}: rows and bills differ: {after}"
        assert after.counted >= after.images_paid_known, f"seed {seed}: bought, but not counted: {after}"
        assert after.journal_left == len(after.in_doubt), f"seed {seed}: rubbish stays behind: {after}"


@pytest.mark.parametrize("shard", range(4))
def test_no_interleaving_of_runs_kills_and_sealers_pays_twice_or_loses_a_row(shard: int) -> None:
    """Whatever the order of storage calls and deaths, paid <= wanted and every answered request has its rows."""
    _lives(range(shard * 200, shard * 200 + 200))


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(4))
def test_many_more_interleavings(shard: int) -> None:
    """The same over ten times as many lives."""
    _lives(range(10_000 + shard * 4000, 10_000 + shard * 4000 + 4000))


def test_an_answer_after_giving_up_is_finished_and_counted() -> None:
    """With careless resubmitting money may be spent twice, by that choice, but every answer still gets its rows."""
    for seed in range(200):
        after = model.live(seed, resubmit=True)
        assert after.image_rows == after.images_paid_known, seed
        assert after.counted >= after.images_paid_known, seed


def _retried(seeds: Iterable[int]) -> int:
    """Lives in which some images are withheld and several runs at once give them up: how many were given up."""
    freed = 0
    for seed in seeds:
        after = model.live(seed, retry=True)
        assert after.paid <= after.wanted + after.replaced, f"seed {seed}: paid twice: {after}"
        assert after.image_rows == after.images_paid_known, f"seed {seed}: rows and bills differ: {after}"
        assert after.counted >= after.images_paid_known - after.replaced, f"seed {seed}: not counted: {after}"
        assert after.journal_left == len(after.in_doubt), f"seed {seed}: rubbish stays behind: {after}"
        freed += after.replaced
    return freed


def test_every_image_given_up_frees_one_place_however_often_it_is_given_up() -> None:
    """Runs with --retry at once, killed anywhere: no more is paid than is wanted, plus one per image given up."""
    assert _retried(range(300)) > 30


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(2))
def test_many_more_lives_with_retries(shard: int) -> None:
    """The same over many more lives."""
    _retried(range(10_000 + shard * 3000, 10_000 + shard * 3000 + 3000))


@pytest.mark.slow
def test_counting_events_instead_of_images_would_pay_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Image ids are what is counted: were every event taken for a place of its own, some life would pay too much."""
    honest = SealedIndex.refresh_replaced

    def doubled(self: SealedIndex, fingerprints: Iterable[str]) -> None:
        honest(self, fingerprints)
        rows = self._parts.read(self._parts.listing("lifecycle"), "lifecycle").to_pylist()
        # A second event becomes another image of the same request.
        seen: dict[str, int] = {}
        for row in rows:
            seen[row["image_id"]] = seen.get(row["image_id"], 0) + 1
        for image, times in seen.items():
            known = self._replaced.setdefault(model.FINGERPRINT, set())
            known |= {f"{image.rpartition('-')[0]}-{90 + number}" for number in range(times - 1)}

    monkeypatch.setattr(SealedIndex, "refresh_replaced", doubled)
    lives = (model.live(seed, retry=True) for seed in range(600))
    assert any(after.paid > after.wanted + after.replaced for after in lives)


class _Trusting(ClaimDesk):
    """A desk that does not look at the history again after its claim."""

    def _taken(self, claim: Claim) -> bool:  # noqa: ARG002  that is the point
        return False


def _careless_fold(
    journal: Journal,
    index: SealedIndex,
    fingerprints: Iterable[str],
    *,
    wait: Callable[[int], None] = lambda _: None,
    only: bool = False,
) -> Book:
    """A fold that takes max+1 as the next number."""
    book = fold(journal, index, fingerprints, wait=wait, only=only)
    for fingerprint, standing in book.standings.items():
        numbers = {row.n for row in index.of(fingerprint).values()} | standing.live.keys()
        standing.next = max(numbers, default=-1) + 1
    return book


def _first_loss(lives: int, safeguards: Any = None) -> int | None:
    for seed in range(lives):
        try:
            after = model.live(seed, safeguards)
        except AssertionError:
            return seed
        if after.paid > after.wanted:
            return seed
    return None


def test_without_the_look_after_the_claim_money_is_lost() -> None:
    """The check after the claim is needed: without it some life pays twice."""
    assert _first_loss(400, model.Safeguards(desk=_Trusting)) is not None


def test_without_dense_numbers_money_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Density is needed: taking max+1 of whatever was seen pays twice in some life."""
    assemble: Any = fold_module._assemble
    monkeypatch.setattr(fold_module, "_assemble", lambda *given: (assemble(*given)[0], True))
    monkeypatch.setattr(claims, "fold", _careless_fold)
    assert _first_loss(1500) is not None
