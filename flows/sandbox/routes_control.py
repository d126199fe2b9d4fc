"""Routes that the real API does not have: the ledger, the counters, and the faults. They need no key."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flows.sandbox.faults import BadFaults, FaultPlan
from flows.sandbox.orders import Invalid, parse_json
from flows.sandbox.state import Store
from flows.sandbox.submission import sandbox_of


async def ledger(request: Request) -> Response:
    """``GET /sandbox/ledger``: what ran, and what it cost."""
    return JSONResponse(sandbox_of(request).store.ledger())


async def stats(request: Request) -> Response:
    """``GET /sandbox/stats``: counters since the state was founded."""
    sandbox = sandbox_of(request)
    return JSONResponse(stats_of(sandbox.store, sandbox.config.max_in_flight))


def stats_of(store: Store, limit: int) -> dict[str, Any]:
    """The counters as `GET /sandbox/stats` gives them."""
    counters = store.counters()
    posts, requests = counters.get("post", {}), counters.get("requests", {})
    return {
        "max_in_flight": limit,
        "in_flight_images": store.in_flight(),
        "peak_in_flight_images": posts.get("peak_in_flight_images", 0),
        "rejected_in_flight": posts.get("rejected_in_flight", 0),
        "polls": requests.get("polls", 0),
        "quotes": requests.get("quotes", 0),
        "downloads": requests.get("downloads", 0),
        "keys_sent_to_image_host": requests.get("keys_sent_to_image_host", 0),
        "ignored_fields": counters.get("ignored_fields", {}),
        "faults": counters.get("faults", {}),
    }


async def health(_request: Request) -> Response:
    """``GET /sandbox/health``."""
    return JSONResponse({"status": "ok"})


async def faults(request: Request) -> Response:
    """``GET | PUT | POST | DELETE /sandbox/faults``: the plan in force; a new plan; none."""
    store = sandbox_of(request).store
    if request.method in ("PUT", "POST"):
        try:
            store.set_faults(FaultPlan.of(parse_json(await request.body())))
        except (BadFaults, Invalid) as error:
            return JSONResponse({"error": str(error)}, 400)
    elif request.method == "DELETE":
        store.set_faults(FaultPlan())
    return JSONResponse({"rules": store.faults().to_json()})


ROUTES = [
    Route("/sandbox/ledger", ledger, methods=["GET"]),
    Route("/sandbox/stats", stats, methods=["GET"]),
    Route("/sandbox/health", health, methods=["GET"]),
    Route("/sandbox/faults", faults, methods=["GET", "PUT", "POST", "DELETE"]),
]
