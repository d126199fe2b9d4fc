"""What has been spent, read from real Parquet parts and a real journal on disk."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from flows.history.journal import Journal
from flows.history.parts import Parts
from flows.history.records import Ack, Claim, End, ImageRecord, ImageStatus, Labels, Outcome, Owner, Step
from flows.history.schema import request_row
from flows.history.seal import Sealer
from flows.history.spend import SpendReader, day_period, month_period, within
from flows.ids import month_of, uuid7
from flows.storage import open_storage

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 22)
OWNER = Owner("run", "", "", 1, "")


@dataclass
class Books:
    """A history on disk, and an easy hand for putting entries into it."""

    journal: Journal
    parts: Parts
    new_id: Callable[[datetime], str]
    numbers: itertools.count[int]

    def claim(self, at: datetime = NOON, *, usd: str = "0.06", images: int = 1, origin: str = "sandbox") -> Claim:
        """A claim in the journal."""
        print_ = f"{next(self.numbers):064x}"
        labels = Labels("hero", "hero", "a sun")
        id_ = self.new_id(at)
        price = Decimal(usd)
        claim = Claim(
            id_, "run", print_, 0, images, origin, "ideogram-3", "/p", {}, labels, "", price, "test", at, OWNER
        )
        self.journal.put(print_, 0, Step.CLAIM, claim)
        return claim

    def end(self, claim: Claim, outcome: Outcome = Outcome.COMPLETED, *, answered: bool = True) -> End:
        """Its end, in the journal."""
        images = tuple(ImageRecord(index, ImageStatus.STORED) for index in range(claim.images))
        end = End(claim.request_id, claim, NOON, outcome, answered, images=images)
        self.journal.put(claim.fingerprint, claim.n, Step.END, end)
        return end

    def ack(self, claim: Claim) -> None:
        """Its answer, in the journal."""
        self.journal.put(claim.fingerprint, claim.n, Step.ACK, Ack(claim.request_id, claim, NOON, 200, "{}"))

    def seal(self) -> None:
        """Seal what has ended."""
        Sealer(self.journal, self.parts, OWNER, lambda _: None).seal(token=self.new_id(NOON), now=NOON)

    def reader(self, zone: str = "UTC") -> SpendReader:
        """A reader that has not looked yet."""
        return SpendReader(self.journal, self.parts, "sandbox", ZoneInfo(zone), lambda _: None)


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """An empty history."""
    storage = open_storage(str(tmp_path))
    rng = random.Random(1)

    def new_id(at: datetime) -> str:
        return uuid7(at, rng.randbytes)

    parts = Parts(storage, lambda: new_id(NOON))
    return Books(Journal(storage.sub(".journal")), parts, new_id, itertools.count())


def test_open_ended_and_sealed_requests_are_counted_once_each(books: Books) -> None:
    """From claim to seal a request costs the same, to whoever looks at whatever moment, with old eyes or new."""
    reader = books.reader()
    assert reader.read(TODAY) == (0, 0)
    claim = books.claim(images=2, usd="0.025")
    assert reader.read(TODAY) == (50_000, 50_000)
    books.ack(claim)
    assert reader.read(TODAY) == (50_000, 50_000)
    books.end(claim)
    assert reader.read(TODAY) == (50_000, 50_000)
    books.seal()
    assert not books.journal.names()
    assert reader.read(TODAY) == books.reader().read(TODAY) == (50_000, 50_000)


@pytest.mark.parametrize("outcome", [Outcome.VOID, Outcome.REFUSED])
def test_what_did_not_run_costs_nothing(books: Books, outcome: Outcome) -> None:
    """Void and refused requests are free as soon as their end is on record."""
    claim = books.claim()
    reader = books.reader()
    assert reader.read(TODAY)[0] == 60_000
    books.end(claim, outcome)
    assert reader.read(TODAY)[0] == 0
    books.seal()
    assert reader.read(TODAY)[0] == 0


def test_another_origin_is_another_budget(books: Books) -> None:
    """The sandbox's pictures do not use up the money of the real API, open or sealed."""
    books.claim(origin="api.ideogram.ai")
    books.end(books.claim(origin="api.ideogram.ai"))
    books.seal()
    assert books.reader().read(TODAY) == (0, 0)


def test_day_and_month_are_those_of_the_configured_zone(books: Books) -> None:
    """An hour before midnight UTC at the end of October is November in Berlin; the request id's time decides."""
    for at in (datetime(2026, 10, 31, 23, 30, tzinfo=UTC), datetime(2026, 10, 31, 20, tzinfo=UTC), NOON):
        books.end(books.claim(at))
    books.claim(NOON - timedelta(days=1))
    books.seal()
    assert books.reader("Europe/Berlin").read(TODAY) == (60_000, 180_000)
    assert books.reader("UTC").read(TODAY) == (60_000, 120_000)
    assert books.reader("Europe/Berlin").read(date(2026, 11, 1)) == (60_000, 180_000)
    assert books.reader("UTC").read(date(2026, 10, 31)) == (120_000, 120_000)


def test_a_late_answer_costs_its_price_again(books: Books) -> None:
    """Given up as not run it is free; when its answer turns up it was paid, sealed or not, and stays paid."""
    claim = books.claim()
    books.end(claim, Outcome.VOID, answered=False)
    reader = books.reader()
    assert reader.read(TODAY)[0] == 0
    books.seal()
    assert reader.read(TODAY)[0] == 0
    books.ack(claim)
    assert reader.read(TODAY)[0] == 60_000
    amend = replace(books.end(claim), answered=True)
    books.journal.put(claim.fingerprint, claim.n, Step.AMEND, amend)
    assert reader.read(TODAY)[0] == 60_000
    books.seal()
    assert reader.read(TODAY) == books.reader().read(TODAY) == (60_000, 60_000)


def test_rows_doubled_by_a_broken_lock_count_once(books: Books) -> None:
    """The latest revision of a request stands, whichever part it is in."""
    end = books.end(books.claim())
    month = month_of(end.request_id)
    for revision in (0, 1, 0):
        books.parts.write("requests", month, [request_row(end, revision)])
    assert books.reader().read(TODAY) == (60_000, 60_000)


def test_months_that_do_not_matter_are_not_opened(books: Books) -> None:
    """Partitions are pruned by name: an unreadable part of last year does no harm."""
    books.end(books.claim())
    books.seal()
    books.parts.storage.write("requests/month=2025-11/broken.parquet", b"no parquet")
    assert books.reader().read(TODAY) == (60_000, 60_000)


def test_merged_parts_are_read_anew(books: Books) -> None:
    """Compaction replaces parts: the sum does not change for a reader that knew the old ones."""
    for _ in range(3):
        books.end(books.claim())
        books.seal()
    reader = books.reader()
    before = reader.read(TODAY)
    old = books.parts.listing("requests")
    rows = books.parts.read(old, "requests").to_pylist()
    books.parts.write("requests", "2026-11", rows)
    books.parts.storage.delete(old)
    assert reader.read(TODAY) == before == (180_000, 180_000)


def test_torn_records_cost_nothing(books: Books) -> None:
    """What was not wholly written was never sent."""
    books.journal.storage.write(f"{'a' * 64}-0.claim", b'{"half":')
    assert books.reader().read(TODAY) == (0, 0)


def test_periods_touch_the_months_they_touch() -> None:
    """A day of Auckland at the first of a month needs the partition of the month before too."""
    zone = ZoneInfo("Pacific/Auckland")
    assert day_period(date(2026, 11, 1), zone).months == ["2026-10", "2026-11"]
    assert month_period(date(2026, 12, 24), zone).months == ["2026-11", "2026-12"]
    assert month_period(date(2026, 12, 24), UTC).months == ["2026-12"]
    parts = ["requests/month=2026-11/a.parquet", "requests/month=2026-12/b.parquet"]
    assert within(parts, month_period(date(2026, 12, 24), UTC)) == parts[1:]
