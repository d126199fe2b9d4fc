"""What the manifest calls known pictures: names are labels, joined to pictures by fingerprint.

Renaming a prompt buys nothing and moves no file; where manifest and history differ, an event says so. Every verb that
goes by names appends those events first, or lays the names over what it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flows.history import view
from flows.history.events import Event
from flows.history.schema import event_row
from flows.history.view import Names
from flows.manifest.variant import Variant, fingerprint
from flows.workspace import Workspace


def called(variants: Iterable[Variant], origin: str) -> dict[str, list[Names]]:
    """Every name that the manifest has for each fingerprint; variants may share one."""
    found: dict[str, list[Names]] = {}
    for one in variants:
        names = Names(one.prompt_id, one.name, one.campaign, one.tags, one.retention)
        found.setdefault(fingerprint(one, origin), []).append(names)
    return found


def new_names(
    ws: Workspace, wanted: Mapping[str, Sequence[Names]], known: Mapping[str, Names] | None = None
) -> dict[str, Names]:
    """The names of fingerprints that the history knows under none of their present ones.

    `known` is what the history calls them, where somebody has looked already.
    """
    known = view.names(ws.parts, wanted) if known is None else known
    return {print_: names[0] for print_, names in wanted.items() if print_ in known and known[print_] not in names}


def details(names: Names) -> dict[str, Any]:
    """Names as an event holds them."""
    return {
        "prompt_id": names.prompt_id,
        "variant": names.variant,
        "campaign": names.campaign,
        "tags": list(names.tags),
        "retention": names.retention,
    }


def relabel(
    ws: Workspace,
    wanted: Mapping[str, Sequence[Names]],
    run_id: str,
    actor: str,
    known: Mapping[str, Names] | None = None,
) -> int:
    """Append what the manifest calls known pictures, where the history calls them otherwise: how many.

    `known` as in `new_names`.
    """
    now = ws.now()
    rows = [
        event_row(
            event_id=ws.new_id(),
            at=now,
            event=Event.RELABELLED,
            actor=actor,
            run_id=run_id,
            reason=f"the manifest calls it {names.variant}",
            fingerprint=print_,
            details=details(names),
        )
        for print_, names in new_names(ws, wanted, known).items()
    ]
    if rows:
        ws.parts.write("lifecycle", f"{now:%Y-%m}", rows)
    return len(rows)
