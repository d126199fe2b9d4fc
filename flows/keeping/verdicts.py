"""What people decide about pictures, put on record: holds, approvals, rejections, accepted findings, restored trash.

Every decision is an event with who, when and the digest of the bytes that were meant. Nothing here touches a file.
All names are looked up before the first event is written: a slip in the last of a hundred changes nothing.
"""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from flows.errors import InvalidInput, Problem, Refused
from flows.history.events import Event, State
from flows.history.schema import event_row
from flows.history.standing import current, events
from flows.retention.ballot import Ballot, Verdict, check, read_ballots
from flows.retention.sweep import is_sealed
from flows.storage import read_sources
from flows.workspace import MANIFEST_BYTES, Workspace

_EVENTS: Mapping[Verdict, Event] = {
    Verdict.HOLD: Event.HELD,
    Verdict.RELEASE: Event.RELEASED,
    Verdict.APPROVE: Event.APPROVED,
    Verdict.REJECT: Event.REJECTED,
    Verdict.ACCEPT: Event.ACCEPTED,
}
_COLUMNS = (
    *("image_id", "fingerprint", "variant", "state", "state_at", "held", "verdict", "replaced"),
    *("local_path", "sha256", "bytes", "etag"),
)
_FINDING_COLUMNS = ("finding_id", "found_at", "check", "code", "subject", "message", "image_id")
_SHOWN = 5


@dataclass(frozen=True)
class Settled:
    """What came of one decision. `name` is what people call the picture; `changed` is false where it stood already."""

    id: str
    name: str
    verdict: str
    changed: bool
    note: str = ""


def decide(
    ws: Workspace,
    verdict: str | None,
    names: Sequence[str],
    *,
    reason: str = "",
    replace: bool = False,
    file: Path | None = None,
) -> list[Settled]:
    """Put decisions on record: those of a file, or one verdict on several pictures. What stands already is left."""
    ballots = _asked(verdict, names, reason, replace=replace, file=file)
    problems: list[Problem] = [problem for one in ballots for problem in check(one)]
    rows: list[dict[str, Any]] = []
    settled: list[Settled] = []
    images = _images(ws) if any(one.verdict is not Verdict.ACCEPT for one in ballots) else {}
    findings = _findings(ws) if any(one.verdict is Verdict.ACCEPT for one in ballots) else {}
    run_id = ws.new_id()
    said: dict[tuple[str, str], Verdict] = {}
    for one in ballots:
        known = findings if one.verdict is Verdict.ACCEPT else images
        found = _found(one, known, problems)
        if found is None:
            continue
        if wrong := _impossible(one, found) or _twice(one, found, said):
            problems.append(wrong)
            continue
        fresh = _events(ws, one, found, run_id)
        rows += fresh
        settled.append(_settled(one, found, changed=bool(fresh)))
        _stands(one, found)
    if problems and file is None and len(ballots) == 1:
        raise Refused(_words(problems[0]))
    if problems:
        raise InvalidInput(problems)
    _write(ws, rows)
    return settled


def _asked(verdict: str | None, names: Sequence[str], reason: str, *, replace: bool, file: Path | None) -> list[Ballot]:
    if file is not None:
        if verdict is not None or names or replace:
            raise Refused("--from takes everything from the file: leave out the verdict, the ids and --replace")
        found = read_sources(str(file), max_bytes=MANIFEST_BYTES)
        if not found:
            raise Refused(f"there is no file {file}")
        ballots = read_ballots(found[0][1], str(file))
        return [_said(one, reason) for one in ballots]
    if verdict not in list(Verdict):
        raise Refused(f"say {', '.join(Verdict)}, then ids; or --from FILE")
    if not names:
        raise Refused(f"{verdict} what? Give ids; `ideoflow history --json` lists them")
    return [Ballot(Verdict(verdict), name, reason, replace=replace) for name in dict.fromkeys(names)]


def _said(one: Ballot, reason: str) -> Ballot:
    return one if one.reason or not reason else Ballot(**{**vars(one), "reason": reason})


def _images(ws: Workspace) -> dict[str, dict[str, Any]]:
    """Every image by its id."""
    return {row["image_id"]: row for row in current(ws.parts, _COLUMNS).to_pylist()}


def _findings(ws: Workspace) -> dict[str, dict[str, Any]]:
    """The latest row of each finding, by its id."""
    rows = ws.parts.read(ws.parts.listing("findings"), "findings", _FINDING_COLUMNS).sort_by("found_at")
    accepted = events(ws.parts, kinds=[Event.ACCEPTED])["details"].to_pylist()
    return {
        row["finding_id"]: row | {"accepted": any(f'"{row["finding_id"]}"' in (one or "") for one in accepted)}
        for row in rows.to_pylist()
    }


def _found(one: Ballot, known: dict[str, dict[str, Any]], problems: list[Problem]) -> dict[str, Any] | None:
    """The one thing that a decision names, or None and a problem."""
    if one.name in known:
        return known[one.name]
    ids = [name for name in known if name.startswith(one.name)] if len(one.name) >= 4 else []
    if len(ids) == 1:
        return known[ids[0]]
    what = "finding" if one.verdict is Verdict.ACCEPT else "image"
    if ids:
        some = ", ".join(sorted(ids)[:_SHOWN])
        problems.append(one.problem(f"{one.name} could be {len(ids)} {what}s", f"Give more of the id: {some} ..."))
    else:
        hint = (
            "The audit's report lists them."
            if one.verdict is Verdict.ACCEPT
            else "`ideoflow history --json` lists them; those of a run under way are known once it has sealed them."
        )
        problems.append(one.problem(f'no {what} is called "{one.name}"', hint))
    return None


def _impossible(one: Ballot, found: Mapping[str, Any]) -> Problem | None:
    if one.verdict is Verdict.ACCEPT:
        return None
    if one.sha256 and not (found["sha256"] or "").startswith(one.sha256):
        message = f"{found['image_id']} is not the picture that was looked at: its digest is {found['sha256']}"
        return one.problem(message, "Look at it again, and decide anew.")
    if one.verdict in (Verdict.HOLD, Verdict.APPROVE) and found["state"] in {State.PURGED, State.WITHHELD, State.LOST}:
        message = f"{found['image_id']} has no file any more ({found['state']})"
        return one.problem(message, f"`ideoflow reproduce {found['image_id']}` makes it again.")
    return None


def _twice(one: Ballot, found: Mapping[str, Any], said: dict[tuple[str, str], Verdict]) -> Problem | None:
    """Two words on one thing at one moment: neither would be the last."""
    about = "hold" if one.verdict in (Verdict.HOLD, Verdict.RELEASE) else "verdict"
    first = said.setdefault((found.get("finding_id") or found["image_id"], about), one.verdict)
    if first is one.verdict:
        return None
    return one.problem(f"{one.name} is decided twice: {first} and {one.verdict}", "Decide on one.")


def _events(ws: Workspace, one: Ballot, found: Mapping[str, Any], run_id: str) -> list[dict[str, Any]]:
    """The events of a decision; none where it stands already."""
    now, actor = ws.now(), one.by or _user()

    def event(kind: Event, details: Mapping[str, Any]) -> dict[str, Any]:
        return event_row(
            event_id=ws.new_id(),
            at=now,
            event=kind,
            actor=actor,
            run_id=run_id,
            reason=one.reason,
            image=found["image_id"],
            fingerprint=found.get("fingerprint"),
            details=details,
        )

    if one.verdict is Verdict.ACCEPT:
        known = {name: found[name] for name in ("finding_id", "check", "code", "subject")}
        return [] if found["accepted"] else [event(Event.ACCEPTED, known)]
    standing = {
        Verdict.HOLD: found["held"],
        Verdict.RELEASE: not found["held"],
        Verdict.APPROVE: found["verdict"] == "approved",
        Verdict.REJECT: found["verdict"] == "rejected",
    }[one.verdict]
    details = {"sha256": found["sha256"]}
    rows = [] if standing else [event(_EVENTS[one.verdict], details)]
    if one.replace and not found["replaced"]:
        rows.append(event(Event.REPLACED, details))
    return rows


def _stands(one: Ballot, found: dict[str, Any]) -> None:
    """What a later line of the same file has to know."""
    match one.verdict:
        case Verdict.HOLD | Verdict.RELEASE:
            found["held"] = one.verdict is Verdict.HOLD
        case Verdict.APPROVE | Verdict.REJECT:
            found["verdict"] = "approved" if one.verdict is Verdict.APPROVE else "rejected"
            found["replaced"] = found["replaced"] or one.replace
        case Verdict.ACCEPT:
            found["accepted"] = True


def _settled(one: Ballot, found: Mapping[str, Any], *, changed: bool) -> Settled:
    if one.verdict is Verdict.ACCEPT:
        return Settled(found["finding_id"], found["message"] or "", str(one.verdict), changed)
    note = ""
    if found["state"] == State.TRASHED and one.verdict in (Verdict.HOLD, Verdict.APPROVE):
        note = "it is in the trash: the next `retain --apply` restores it, or do it now with `restore`"
    elif one.replace:
        note = "the next `generate` buys another one in its place, if the manifest still wants it"
    return Settled(found["image_id"], found["variant"], str(one.verdict), changed, note)


def restore(ws: Workspace, names: Sequence[str], *, hold: bool = True, reason: str = "") -> list[Settled]:
    """Take pictures out of the trash: named by their ids, or all that a retention run put there, by its.

    With `hold` the policy leaves them alone from now on; without, the next run goes by its rules again.
    """
    images = _images(ws)
    by_run = pc.field("event") == str(Event.TRASHED)
    trashed = ws.parts.read(ws.parts.listing("lifecycle"), "lifecycle", ["image_id", "run_id", "event"], by_run)
    runs: dict[str, set[str]] = {}
    for row in trashed.to_pylist():
        runs.setdefault(row["run_id"], set()).add(row["image_id"])
    chosen: dict[str, dict[str, Any]] = {}
    for name in names:
        chosen |= _trashed(name, images, runs)
    pictures = list(chosen.values())
    _there(ws, pictures)
    now, run_id, actor = ws.now(), ws.new_id(), _user()
    kinds = [Event.RESTORED, Event.HELD] if hold else [Event.RESTORED]
    rows = [
        event_row(
            event_id=ws.new_id(),
            at=now,
            event=kind,
            actor=actor,
            run_id=run_id,
            reason=reason or "restored on request",
            image=one["image_id"],
            fingerprint=one["fingerprint"],
            details={"sha256": one["sha256"]},
        )
        for one in pictures
        for kind in kinds
        if not (kind is Event.HELD and one["held"])
    ]
    _write(ws, rows)
    word = "restored, on hold" if hold else "restored"
    return [Settled(one["image_id"], one["variant"], word, changed=True, note=one["local_path"]) for one in pictures]


def _trashed(
    name: str, images: Mapping[str, dict[str, Any]], runs: Mapping[str, set[str]]
) -> dict[str, dict[str, Any]]:
    found = _beginning(name, runs)
    if len(found) == 1:
        left = {one: images[one] for one in runs[found[0]] if one in images and images[one]["state"] == State.TRASHED}
        if not left:
            raise Refused(f"nothing that run {found[0]} trashed is in the trash any more")
        return dict(sorted(left.items()))
    ids = _beginning(name, images)
    if len(found) > 1 or len(ids) > 1:
        raise Refused(f'"{name}" could be {len(found) + len(ids)} things: give more of the id')
    if not ids:
        raise Refused(f'no image and no retention run is called "{name}": `ideoflow history --json` lists images')
    one = images[ids[0]]
    if one["state"] == State.PURGED:
        raise Refused(
            f"{ids[0]} was removed for good on {one['state_at']:%Y-%m-%d}: "
            f"`ideoflow reproduce {ids[0]}` makes it again, price first"
        )
    if one["state"] != State.TRASHED:
        raise Refused(f"{ids[0]} is not in the trash: it is {one['state']}")
    return {ids[0]: one}


def _beginning(name: str, known: Mapping[str, Any]) -> list[str]:
    if name in known:
        return [name]
    return [one for one in known if one.startswith(name)] if len(name) >= 4 else []


def _there(ws: Workspace, pictures: Sequence[Mapping[str, Any]]) -> None:
    """Refused unless every file is there, with the very bytes that were bought."""
    found = ws.assets.stat_many([str(one["local_path"]) for one in pictures])
    for one in pictures:
        there = found[str(one["local_path"])]
        if there is None:
            raise Refused(f"{ws.assets.where(one['local_path'])} is not there: is the storage mounted?")
        if not is_sealed(ws.assets, one, there):
            where = ws.assets.where(one["local_path"])
            raise Refused(f"{where} is not the picture that was bought: put that back first")


def _write(ws: Workspace, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        ws.parts.write("lifecycle", f"{ws.now():%Y-%m}", rows)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"


def _words(problem: Problem) -> str:
    return f"{problem.message}. {problem.hint}" if problem.hint else problem.message
