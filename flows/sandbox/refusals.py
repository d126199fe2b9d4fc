"""The bodies of answers that are not pictures, as varied as the vendor's: JSON, problems, HTML."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import HTMLResponse, JSONResponse, Response

from flows.sandbox.faults import fraction
from flows.sandbox.orders import Invalid

PAGE = (
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head>"
    "<body><h1>Checking your connection</h1><p>SANDBOX: this page is a fault.</p></body></html>"
)


def bad_key() -> Response:
    """401."""
    return JSONResponse({"message": "Access denied. Please verify your API Token is valid."}, 401)


def no_access() -> Response:
    """403."""
    return JSONResponse({"message": "Your account has no access to this endpoint."}, 403)


def no_funds() -> Response:
    """402."""
    error = "Insufficient funds: top up your API balance to continue."
    return JSONResponse({"error": error, "reject_reason": "insufficient_funds"}, 402)


def busy(limit: int) -> Response:
    """429 of a POST; there is no Retry-After, as on the real API."""
    return JSONResponse(
        {
            "error": "Too many requests in flight.",
            "reject_reason": "inflight_limit",
            "max_inflight_requests": limit,
            "task_completion_speed": "fast",
        },
        429,
    )


def slow_down(retry_after_s: int) -> Response:
    """429 of a poll."""
    return JSONResponse({"error": "Too many requests."}, 429, {"Retry-After": str(retry_after_s)})


def problem(status: int, detail: str) -> Response:
    """Problem JSON (RFC 9457)."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "detail": detail, "status": status}
    return JSONResponse(body, status, media_type="application/problem+json")


def invalid(error: Invalid) -> Response:
    """400: problem JSON where the schema refuses, an ``error`` where reasoning does."""
    return problem(400, error.message) if error.schema else JSONResponse({"error": error.message}, 400)


def unsafe(body_digest: str, *, may_be_empty: bool) -> Response:
    """422. v2 leaves its body untyped, so half of the prompts get an empty one there."""
    if may_be_empty and fraction("empty 422", body_digest) < 0.5:
        return Response(status_code=422)
    error = "Prompt provided failed safety check due to the inclusion of prohibited content."
    return JSONResponse({"error": error}, 422)


def server_error() -> Response:
    """500, which says nothing about whether the work ran."""
    return JSONResponse({"error": "Internal server error."}, 500)


def page() -> Response:
    """A page of HTML with status 200, as a proxy in front may send."""
    return HTMLResponse(PAGE)
