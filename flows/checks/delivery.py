"""Delivery: what was billed and did not come, what came late, what is open, what it cost against the caps.

Knows outcomes and dates; no API, no thresholds of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from flows.checks.finding import Finding, Ran, Skipped, Verdict
from flows.checks.policy import AuditPolicy
from flows.checks.rules import found
from flows.checks.subject import CapUse, Image, OpenEntry, Request, Subject

NAME = "delivery"


def check(subject: Subject, policy: AuditPolicy) -> Verdict:
    """Every billed image, recent requests, what is open, and every cap."""
    limits = policy.delivery
    looked = len(subject.images) + len(subject.requests) + len(subject.open) + len(subject.caps)
    if not looked:
        return Skipped(NAME, "nothing to check: nothing was asked for")
    results: list[Finding] = []
    since = subject.now - timedelta(days=limits.recent_days)
    for image in subject.images:
        results += _image(image, limits.min_margin_s, since)
    for request in subject.requests:
        if request.requested_at is None or request.requested_at >= since:
            results += _request(request)
    for entry in subject.open:
        results += _open(entry, subject, limits.min_margin_s)
    for cap in subject.caps:
        results += _cap(cap, limits.near_cap)
    return Ran(NAME, looked, tuple(results))


def _image(image: Image, min_margin_s: float, since: datetime) -> Iterator[Finding]:
    if image.replaced:
        return
    cost = f" (${image.cost_usd:.3f})" if image.cost_usd else ""
    if image.status == "withheld":
        yield found(
            "delivery.withheld",
            image.image_id,
            f"billed{cost} and withheld: the API gave no link",
            image,
            remedy="Change the prompt, or buy it again as it is: ideoflow generate --retry withheld.",
        )
    elif image.status == "lost":
        why = f": {image.flaw}" if image.flaw else ""
        yield found(
            "delivery.lost",
            image.image_id,
            f"billed{cost} and could not be fetched{why}",
            image,
            remedy="Buy it again: ideoflow generate --retry lost.",
        )
    elif image.expiry_margin_s is None or image.stored_at is None or image.stored_at < since:
        return
    elif image.expiry_margin_s < min_margin_s:
        yield found(
            "delivery.late_link",
            image.image_id,
            f"fetched {image.expiry_margin_s:,.0f} s before its link ended",
            image,
            remedy="Run generate more often, so that what was cut off is finished in time; or raise downloads.",
            measure=image.expiry_margin_s,
            threshold=min_margin_s,
            unit="s",
        )


def _request(request: Request) -> Iterator[Finding]:
    why = request.reject_reason or request.reason or "no reason on record"
    status = f" (status {request.status})" if request.status else ""
    if request.outcome == "refused":
        yield found(
            "delivery.refused",
            request.request_id,
            f"refused{status}: {why}",
            request,
            remedy="Change the prompt: the same one is not asked for again.",
        )
    elif request.outcome == "void":
        yield found(
            "delivery.failed",
            request.request_id,
            f"failed{status} and was not billed: {why}",
            request,
            remedy="Nothing is lost; the next ideoflow generate asks again.",
        )


def _open(entry: OpenEntry, subject: Subject, min_margin_s: float) -> Iterator[Finding]:
    if entry.doubt is not None:
        yield found(
            "delivery.in_doubt",
            entry.request_id,
            f"{entry.doubt}; it may have cost ${entry.micros / 1_000_000:.3f}",
            entry,
            remedy="Look at the vendor's usage page, then: ideoflow recover --resubmit or --write-off.",
            measure=entry.micros / 1_000_000,
            threshold=0.0,
            unit="usd",
        )
    if entry.expires_at is not None:
        left = (entry.expires_at - subject.now).total_seconds()
        if left < min_margin_s:
            when = f"ends in {left:,.0f} s" if left > 0 else "has ended"
            yield found(
                "delivery.link_ending",
                entry.request_id,
                f"still to be fetched, and its link {when}",
                entry,
                remedy="Run ideoflow recover now.",
                measure=left,
                threshold=min_margin_s,
                unit="s",
            )


def _cap(cap: CapUse, near: float) -> Iterator[Finding]:
    if cap.limit_micros <= 0:
        return
    used = cap.used_micros / cap.limit_micros
    spent = f"${cap.used_micros / 1_000_000:,.2f} of ${cap.limit_micros / 1_000_000:,.2f}"
    if used > 1 or used >= near:
        over = used > 1
        yield found(
            "delivery.over_cap" if over else "delivery.near_cap",
            cap.name,
            f"{spent} allowed by budget.{cap.name} are spent",
            None,
            remedy=f"Raise budget.{cap.name}, or wait for the next period.",
            measure=round(used, 4),
            threshold=1.0 if over else near,
            unit="part of the cap",
        )
