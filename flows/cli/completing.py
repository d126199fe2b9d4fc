"""What the shell can complete: names of the manifest, of the history and of the catalogue, as they stand now.

Completing must never fail and never speak: whatever cannot be read completes to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from flows.workspace import Workspace

Source = Callable[[typer.Context], Iterable[str]]
IDS = 100  # of the latest images; who looks for an older one has its id at hand


def overlays(ctx: typer.Context, incomplete: str) -> list[str]:
    """For --config: the files of the project's `configs/` that are settings."""
    others = {"audit", "base", "prefect", "prices", "retention"}

    def names(ctx: typer.Context) -> Iterable[str]:
        import os
        from pathlib import Path

        from flows.settings.load import find_project

        root = find_project(ctx.params.get("project"), os.environ, Path.cwd())
        return (path.stem for path in (root / "configs").glob("*.yaml") if path.stem not in others)

    return _matching(names, ctx, incomplete)


def wanted(ctx: typer.Context, incomplete: str) -> list[str]:
    """For --select of plan and generate: prompts of the manifests, tags, campaigns; variants after an @."""

    def names(ctx: typer.Context) -> Iterable[str]:
        variants = _workspace(ctx).manifests(tuple(ctx.params.get("manifest") or ())).variants
        for one in variants:
            yield from (one.prompt_id, *(f"tag:{tag}" for tag in one.tags))
            if one.campaign:
                yield f"campaign:{one.campaign}"
            if "@" in incomplete:
                yield one.name

    return _matching(names, ctx, incomplete)


def had(ctx: typer.Context, incomplete: str) -> list[str]:
    """For --select of export: prompts, tags, campaigns, brands and states of what is in the history."""

    def names(ctx: typer.Context) -> Iterable[str]:
        from flows.history.events import State

        for row in _rows(ctx, ("prompt_id", "campaign", "brand", "tags")):
            yield str(row["prompt_id"])
            yield from (f"{kind}:{row[kind]}" for kind in ("campaign", "brand") if row[kind])
            yield from (f"tag:{tag}" for tag in row["tags"] or ())
        yield from (f"state:{state}" for state in (*State, "approved", "held"))

    return _matching(names, ctx, incomplete)


def models(ctx: typer.Context, incomplete: str) -> list[str]:
    """Models of the catalogue."""

    def names(_: typer.Context) -> Iterable[str]:
        from flows.ideogram.catalogue import CATALOGUE

        return CATALOGUE

    return _matching(names, ctx, incomplete)


def column(name: str) -> Callable[[typer.Context, str], list[str]]:
    """For options such as --campaign: what the history knows of it."""

    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        return _matching(lambda ctx: (str(row[name]) for row in _rows(ctx, (name,)) if row[name]), ctx, incomplete)

    return complete


def image_ids(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids of the latest images."""

    def names(ctx: typer.Context) -> Iterable[str]:
        rows = _rows(ctx, ("image_id",))
        return sorted(str(row["image_id"]) for row in rows)[-IDS:]

    return _matching(names, ctx, incomplete)


def image_or_file(ctx: typer.Context, incomplete: str) -> list[str]:
    """The same once something is typed; before that the shell offers files."""
    return image_ids(ctx, incomplete) if incomplete else []


def _matching(names: Source, ctx: typer.Context, incomplete: str) -> list[str]:
    try:
        found = dict.fromkeys(names(ctx))
    except Exception:  # noqa: BLE001  a shell that completes is no place for a message, whatever the trouble
        return []
    return sorted(name for name in found if name.startswith(incomplete))


def _workspace(ctx: typer.Context) -> Workspace:
    from flows.workspace import open_workspace

    return open_workspace(ctx.params.get("project"), ctx.params.get("config") or ())


def _rows(ctx: typer.Context, columns: Sequence[str]) -> list[dict[str, Any]]:
    from flows.history.standing import current

    rows: list[dict[str, Any]] = current(_workspace(ctx).parts, [*columns]).to_pylist()
    return rows
