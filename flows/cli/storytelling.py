"""The story of an image on a screen: words for people, JSON for programs. Reads values, decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from flows.cli.printing import console, emit, linked, near, sentence
from flows.report import words

if TYPE_CHECKING:
    from flows.history.story import Lineage, Story
    from flows.recognition import Match, Recognised
    from flows.workspace import Workspace

FEW = 6


def story(
    told: Story, ws: Workspace, *, as_json: bool, found: Recognised | None = None, file: str | None = None
) -> None:
    """All that is known. `found` and `file` say how a picture led to this image."""
    if as_json:
        emit({**_json(told), **({"recognised": _recognised(found, file or "")} if found else {})})
        return
    out = console()
    if found:
        for line in _how(found, file or ""):
            sentence(out, line)
    _facts(out, told)
    _lineage(out, told.lineage)
    _happened(out, told)
    _files(out, told, ws)
    name = told.image["image_id"]
    out.print(f"next     `ideoflow reproduce {name} --dry-run` says what making it again would take", soft_wrap=True)


def not_ours(file: str, found: Recognised, *, as_json: bool) -> None:
    """Plainly no, with what was compared; where that was not all of ours, it says so and what to do about it."""
    if as_json:
        emit({"recognised": _recognised(found, file)})
        return
    out = console()
    verdict = "none of those that could be compared" if found.unmeasured else "not ours"
    out.print(f"[bold]{verdict}:[/] {escape(near(file))}", soft_wrap=True)
    sentence(out, f"         compared with {words.count(found.compared, 'picture')} of the history")
    if found.nearest:
        sentence(out, f"         the nearest is {found.nearest.image_id}, and that is it with {_sure(found.nearest)}")
    if found.doubted:
        sentence(out, f"! its own XMP says that it is {found.claimed}, which looks otherwise", "yellow")
    if found.unmeasured:
        lacking = words.count(found.unmeasured, "picture")
        sentence(out, f"! {lacking} of ours could not be compared: no features of today's kind are on record", "yellow")
        out.print("next     `ideoflow maintain` measures what is still there: then ask again", soft_wrap=True)
        return
    out.print("next     `ideoflow history WORDS` searches by what was asked for", soft_wrap=True)


def _how(found: Recognised, file: str) -> Iterator[str]:
    best, *others = found.matches
    if best.how == "digest":
        yield f"ours     {near(file)} is this very file"
    else:
        named = ", and its XMP names it" if found.claimed == best.image_id else ""
        yield f"ours     {near(file)} shows this image, though the bytes differ: {_sure(best)} sure{named}"
    if others:
        shown = ", ".join(f"{one.image_id} ({_sure(one)})" for one in others[:FEW])
        yield f"         or one of {words.count(len(others), 'other')}: {shown}"
    if found.doubted:
        yield f"! its own XMP says that it is {found.claimed}, which looks otherwise"


def _sure(match: Match) -> str:
    """Never rounded up to certainty."""
    return "100 %" if match.confidence == 1.0 else f"{min(match.confidence, 0.999) * 100:.1f} %"


def _facts(out: Console, told: Story) -> None:
    row, call = told.image, told.request or {}
    standing = [row["state"], *(word for word in ("held",) if row[word]), *([row["verdict"]] if row["verdict"] else [])]
    out.print(f"[bold]{escape(row['image_id'])}[/]  {escape(row['variant'])}, {', '.join(standing)}", soft_wrap=True)
    labels = [row["brand"], row["campaign"], *(f"#{tag}" for tag in row["tags"] or ())]
    seed = row["seed"] if row["seed"] is not None else "not told"
    asked = f" (asked for: {row['seed_asked']})" if row["seed_asked"] is not None else ""
    size = f"{row['width']}x{row['height']}, " if row["width"] else ""
    flaw = f", {row['flaw']}" if row["flaw"] else ""
    for name, value in (
        ("labels", ", ".join(str(label) for label in labels if label)),
        ("asked", row["prompt"]),
        ("drawn", row["final_prompt"] if row["final_prompt"] != row["prompt"] else "as it was asked"),
        ("letters", row["lettering"]),
        ("model", f"{row['model']} by {row['origin']}, {row['endpoint']}"),
        ("options", ", ".join(f"{key}: {value}" for key, value in row["options"].items())),
        ("edition", row["edition"]),
        ("seed", f"{seed}{asked}"),
        ("picture", f"{size}{row['media_type'] or row['status']}{flaw}"),
        ("cost", _cost(row)),
        ("asked at", words.instant(row["requested_at"])),
        ("took", _timings(told, call)),
        ("link", _margin(row)),
        ("request", f"{row['request_id']}, generation {row['generation_id'] or 'without id'}, run {row['run_id']}"),
    ):
        if value:
            sentence(out, f"    {name:<8} {words.one_line(str(value), 2000)}")


def _cost(row: Mapping[str, Any]) -> str:
    return f"{words.money(Decimal(str(row['cost_usd'])))}, by {row['price_source']}"


def _timings(told: Story, call: Mapping[str, Any]) -> str:
    parts = []
    if call.get("latency_s") is not None:
        parts.append(f"{words.duration(timedelta(seconds=call['latency_s']))} until it was drawn")
    if told.seconds_to_storage is not None:
        parts.append(f"{words.duration(timedelta(seconds=told.seconds_to_storage))} until it was on storage")
    return ", ".join(parts)


def _margin(row: Mapping[str, Any]) -> str:
    if row["expiry_margin_s"] is None:
        return ""
    margin = timedelta(seconds=abs(row["expiry_margin_s"]))
    side = "before" if row["expiry_margin_s"] >= 0 else "after"
    return f"stored {words.duration(margin)} {side} its link expired ({words.instant(row['expires_at'])})"


def _lineage(out: Console, kin: Lineage) -> None:
    several = len(kin.replaced_by) > 1
    for name, ids in (
        ("made from", (kin.reproduced_from,) if kin.reproduced_from else ()),
        ("made again as", kin.reproduced_as),
        ("replaced by one of" if several else "replaced by", kin.replaced_by),
        ("bought for the given up", kin.instead_of),
        ("of the same request", kin.beside),
        ("of the same wording", kin.siblings),
    ):
        if ids:
            more = f" and {len(ids) - FEW} more" if len(ids) > FEW else ""
            sentence(out, f"    kin      {name} {', '.join(ids[:FEW])}{more}")


def _happened(out: Console, told: Story) -> None:
    for row in told.events:
        by = f" by {row['actor']}" + (f" ({row['policy']})" if row["policy"] else "")
        why = f": {row['reason']}" if row["reason"] else ""
        sentence(out, f"    {'event':<8} {words.instant(row['at'])} {row['event']}{by}{words.one_line(why)}")
    for row in told.findings:
        accepted = ", accepted" if row["accepted"] else ""
        what = f"{row['severity']} {row['code']} ({row['state']}{accepted}): {row['message']}"
        sentence(out, f"    {'finding':<8} {words.one_line(what)}", "" if row["accepted"] else "yellow")


def _files(out: Console, told: Story, ws: Workspace) -> None:
    for file in told.files:
        size = f", {words.size(file.bytes)}" if file.bytes is not None else ""
        place = linked(file.where, near(ws.shown(file.where))) if file.found != "missing" else escape(file.path)
        out.print(f"    {file.what:<8} {place} ({file.found}{size})", soft_wrap=True)


def _recognised(found: Recognised, file: str) -> dict[str, Any]:
    return {"file": file, "ours": bool(found.matches), **asdict(found)}


def _json(told: Story) -> dict[str, Any]:
    return {
        "image": dict(told.image),
        "request": dict(told.request) if told.request else None,
        "lineage": asdict(told.lineage),
        "events": [dict(row) for row in told.events],
        "findings": [dict(row) for row in told.findings],
        "features": dict(told.features) if told.features else None,
        "files": [asdict(file) for file in told.files],
        "seconds_to_storage": told.seconds_to_storage,
    }
