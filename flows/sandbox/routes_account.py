"""The account's usage, as its admins see it: dense buckets of line items, with what does not concern us in them too."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flows.sandbox import refusals
from flows.sandbox.jobs import Job
from flows.sandbox.submission import has_key, sandbox_of

_WIDTHS = {"1d": (timedelta(days=1), 92), "1h": (timedelta(hours=1), 168)}


async def usage(request: Request) -> Response:
    """``GET /v2/account/usage``: what was billed, by day or hour, product, endpoint and unit price."""
    sandbox = sandbox_of(request)
    if not has_key(request):
        return refusals.bad_key()
    if not sandbox.config.admin:
        return refusals.problem(404, "No organization with billing access was found for this credential.")
    asked = request.query_params
    now = datetime.fromtimestamp(sandbox.config.clock(), UTC)
    width, most = _WIDTHS.get(asked.get("bucket_width", "1d"), (None, 0))
    start, end = _instant(asked.get("start_time")), _instant(asked.get("end_time", now.isoformat()))
    if width is None or start is None or end is None or start >= end:
        return refusals.problem(400, "start_time, end_time or bucket_width is missing or not usable.")
    start, end = _floor(start, width), _ceiling(end, width)
    if (end - start) / width > most:
        return refusals.problem(400, f"The range has more than {most} buckets.")
    told_until = (now - timedelta(seconds=sandbox.config.usage_lag_s)).timestamp()
    sources = asked.getlist("sources")
    buckets: list[dict[str, Any]] = []
    while start < end:
        until = min((start + width).timestamp(), told_until)
        jobs = sandbox.store.billed(start.timestamp(), until) if not sources or "api" in sources else []
        buckets.append(
            {
                "start_time": _told(start),
                "end_time": _told(start + width),
                "line_items": _items(jobs, sandbox.config.api_key),
            }
        )
        start += width
    return JSONResponse({"buckets": buckets})


def _items(jobs: list[Job], key: str) -> list[dict[str, Any]]:
    quantities: Counter[tuple[str, str, int]] = Counter()
    for job in jobs:
        quantities[job.model, job.path, job.micros // job.images] += job.images
    return [
        {
            "product": f"{model.replace('-', '_').lower()}_generation",
            "description": f"{model} generation",
            "endpoint": path,
            "cost_total": _dollars(quantity * micros),
            "currency_code": "USD",
            "source": "api",
            "user_email": "somebody@example.com",
            "api_key": {"id": "sandbox-key", "redacted_key": key[:4] + "••••"},
            "billed_units": {"unit": "image", "quantity": str(quantity), "unit_price": _dollars(micros)},
        }
        for (model, path, micros), quantity in sorted(quantities.items())
    ]


def _dollars(micros: int) -> str:
    return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"


def _instant(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _floor(moment: datetime, width: timedelta) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (moment - epoch) // width * width


def _ceiling(moment: datetime, width: timedelta) -> datetime:
    floor = _floor(moment, width)
    return floor if floor == moment else floor + width


def _told(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


ROUTES = [Route("/v2/account/usage", usage, methods=["GET"])]
