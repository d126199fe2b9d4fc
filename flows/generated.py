"""The files of the project that are generated from its code: ``python -m flows.generated`` writes them anew.

A test fails when one of them is stale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from flows.budget.page import models_page
from flows.budget.shipped import builtin
from flows.checks.page import audit_section
from flows.history.page import history_page
from flows.manifest.page import manifest_page
from flows.manifest.schema import schema_text
from flows.orchestrator.deployments import prefect_yaml
from flows.settings import base_yaml
from flows.settings.page import settings_page

FILES: Mapping[str, Callable[[], str]] = {
    "configs/base.yaml": base_yaml,
    "configs/prefect.yaml": prefect_yaml,
    "configs/prompts.schema.json": schema_text,
    "docs/configuration.md": lambda: f"{settings_page()}\n{audit_section()}",
    "docs/history.md": history_page,
    "docs/manifest.md": manifest_page,
    "docs/models.md": lambda: models_page(builtin()),
}


def main(root: Path) -> None:
    """Write every generated file below `root`."""
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main(Path.cwd())
