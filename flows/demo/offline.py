"""The settings that keep a demonstration on this machine, whatever project, files and environment say."""

from __future__ import annotations

import json
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
# The campaign that comes with the program, by where each file belongs in a project: it stands beside this module where
# the program was installed from a wheel, and in its own place in a checkout.
CAMPAIGN = ("prompts.yaml", "configs/audit.yaml", "configs/brands/helio.yml")


def offline(folder: Path) -> dict[str, str]:
    """An environment: the sandbox for an API, folders below `folder` for storage, no cap on pretended money.

    It is given instead of the user's environment, not beside it. Where the project's own `configs/base.yaml` names
    another API, a bucket or a cap, these win.
    """
    return {
        "IDEOFLOW_API__BASE_URL": "sandbox",
        "IDEOFLOW_STORAGE__ASSETS": str(folder / "images"),
        "IDEOFLOW_STORAGE__HISTORY": str(folder / "history"),
        "IDEOFLOW_STORAGE__REPORTS": str(folder / "reports"),
        "IDEOFLOW_STORAGE__OPTIONS": "{}",
        "IDEOFLOW_SANDBOX__STATE": "",
        "IDEOFLOW_BUDGET__PER_RUN_USD": "",
        "IDEOFLOW_GENERATE__IN_DOUBT": "hold",
    }


def shipped() -> dict[str, Path]:
    """The files of the campaign that comes with the program, by their places in a project."""
    packaged = {name: Path(__file__).with_name("campaign") / name for name in CAMPAIGN}
    return packaged if packaged[CAMPAIGN[0]].is_file() else {name: _CHECKOUT / name for name in CAMPAIGN}


def with_shipped_manifest(environ: dict[str, str]) -> dict[str, str]:
    """For a project without a manifest: the campaign that comes with the program."""
    return environ | {"IDEOFLOW_GENERATE__MANIFESTS": json.dumps([str(shipped()["prompts.yaml"])])}
