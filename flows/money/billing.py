"""The vendor's bill, asked for and compared with our books: for ``spend --reconcile``. Reads; changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow.compute as pc

from flows.errors import InvalidInput, Refused, Unavailable
from flows.history.records import IMPORTED, Entry, Outcome, claimed_micros, settled_micros
from flows.history.spend import Period, between, latest, within
from flows.ideogram.catalogue import CATALOGUE, price_tier
from flows.ideogram.money import read_usage
from flows.ids import time_of
from flows.money.reconcile import Bought, Comparison, Kind, reconcile
from flows.workspace import Workspace

DAYS = 30
MOST_DAYS = 92
COLUMNS = (
    *("request_id", "revision", "outcome", "reason", "images", "cost_micros", "origin"),
    *("endpoint", "model", "requested_at", "request"),
)
# What `recover --resubmit` and generate.in_doubt write: the only unanswered ends whose request may have run.
GIVEN_UP = "in doubt, resubmitted"


@dataclass(frozen=True)
class Bill:
    """The comparison, and for which UTC days. `unread` counts lines of the bill that could not be read."""

    since: date
    until: date
    rows: tuple[Comparison, ...]
    unread: int = 0

    @property
    def explained(self) -> bool:
        """Whether every difference is explained."""
        return not self.unread and all(row.explained for row in self.rows)


async def compare(ws: Workspace, since: date | None = None) -> Bill:
    """Our books beside the account's usage since a UTC day, 30 days ago if left out. Needs an admin's key."""
    now = ws.now().astimezone(UTC)
    first = since or (now - timedelta(days=DAYS - 1)).date()
    if not timedelta(0) <= now.date() - first < timedelta(days=MOST_DAYS):
        raise Refused(
            f"the vendor tells of {MOST_DAYS} days at once: say --since {now.date() - timedelta(days=91)} or later"
        )
    start = datetime.combine(first, time(), UTC)
    async with ws.client() as client:
        answer = await client.usage(start, now)
    if answer.status == 404:
        raise Refused("only a key whose owner is an admin of the organization may see the account's usage")
    if answer.status == 401:
        raise Refused("the API key was refused: check IDEOGRAM_API_KEY")
    usage = read_usage(answer.body, ws.settings.key().get_secret_value()) if answer.status == 200 else None
    if usage is None:
        raise Unavailable(f"the account's usage cannot be read (HTTP {answer.status})", status=answer.status)
    # A day more, for what was asked for just before midnight and billed after it.
    period = Period(start - timedelta(days=1), now + timedelta(days=1))
    ours = await asyncio.to_thread(lambda: list(bought(ws, period)))
    rows = [row for row in reconcile(ours, usage.lines, now) if row.day >= first]
    return Bill(first, now.date(), tuple(rows), usage.unread)


def bought(ws: Workspace, period: Period) -> Iterator[Bought]:
    """Every request of this origin that was or may have been billed."""
    live = ws.desk().open(()).live
    for entry in live:
        found = _open(ws, entry)
        if found is not None and period.holds(found.at):
            yield found
    open_ = {entry.id for entry in live}
    listing = within(ws.parts.listing("requests"), period)
    bought_here = (pc.field("origin") == ws.settings.origin) & (pc.field("endpoint") != IMPORTED)
    where = bought_here & between(period)
    for row in latest(ws.parts.read(listing, "requests", COLUMNS, where)).to_pylist():
        kind = _kind(Outcome(row["outcome"]), row["reason"])
        if kind is None or row["request_id"] in open_:
            continue
        usd = Decimal(row["cost_micros"]) / 1_000_000
        if kind is Kind.GIVEN_UP:
            usd = _price(ws, row) * row["images"]
        yield Bought(row["requested_at"], row["endpoint"], row["model"], row["images"], usd, kind)


def _kind(outcome: Outcome, reason: str) -> Kind | None:
    if outcome is Outcome.COMPLETED:
        return Kind.SETTLED
    if outcome is Outcome.WRITTEN_OFF:
        return Kind.WRITTEN_OFF
    given_up = outcome is Outcome.VOID and reason.startswith(GIVEN_UP)
    return Kind.GIVEN_UP if given_up else None


def _open(ws: Workspace, entry: Entry) -> Bought | None:
    claim, final = entry.request, entry.final
    if claim is None or claim.imported or claim.origin != ws.settings.origin:
        return None
    kind: Kind | None = Kind.IN_DOUBT
    micros = claimed_micros(claim)
    if final is not None:
        kind = _kind(final.outcome, final.reason)
        micros = settled_micros(final) if kind is not Kind.GIVEN_UP else micros
    if kind is None:
        return None
    at = time_of(claim.request_id)
    return Bought(at, claim.path, claim.model, claim.images, Decimal(micros) / 1_000_000, kind)


def _price(ws: Workspace, row: Mapping[str, Any]) -> Decimal:
    """What an image of a request that was given up would have cost; nothing where nobody knows any more."""
    endpoint = CATALOGUE.get(row["model"])
    if endpoint is None:
        return Decimal(0)
    body = json.loads(row["request"])
    options = body.get(endpoint.wraps, body) if endpoint.wraps else body
    try:
        return ws.prices()(endpoint.model, price_tier(endpoint, options)).usd
    except InvalidInput:
        return Decimal(0)
