"""What needs neither colours nor tables: JSON for programs, warnings, and what `validate` says.

Apart from `printing`, so that a verb that prints two lines does not wait for Rich.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import typer

from flows.report import words

if TYPE_CHECKING:
    from flows.manifest.load import Loaded


def emit(value: Any) -> None:
    """JSON on standard output."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, (set, frozenset, tuple)) else str(value)


def validated(loaded: Loaded, planning: str, *, as_json: bool) -> None:
    """What the manifests want, and what is odd about them; `planning` is the command that shows what they cost."""
    images = sum(variant.count for variant in loaded.variants)
    prompts = len({variant.prompt_id for variant in loaded.variants})
    if as_json:
        emit(
            {
                "files": loaded.files,
                "prompts": prompts,
                "variants": len(loaded.variants),
                "images": images,
                "warnings": [vars(problem) for problem in loaded.warnings],
            }
        )
        return
    warn(loaded.warnings)
    files = loaded.files[0] if len(loaded.files) == 1 else words.count(len(loaded.files), "manifest")
    what = f"{words.count(prompts, 'prompt')}, {words.count(len(loaded.variants), 'variant')}"
    typer.echo(f"{files}: in order, {what}, {words.count(images, 'image')} wanted")
    typer.echo(f"next     `{planning}` shows what they would cost")


def warn(warnings: Any) -> None:
    """What is odd, though not wrong, about what somebody wrote."""
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)
