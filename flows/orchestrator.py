"""What can be known about Prefect without importing it: is a server configured, and how it is kept quiet.

Importing Prefect costs a second and starts its logging; commands that do without it ask here first.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

# What Prefect itself takes these profiles for, while the user's file does not define them.
_BUILT_IN: Mapping[str, Mapping[str, Any]] = {"local": {"PREFECT_API_URL": "http://127.0.0.1:4200/api"}}

# For a run that a person watches: the run speaks for itself, in Prefect's log too, which this leaves as it is.
_QUIET = {
    # Prefect prints each state change, and at the end a temporary server's complaints that it is stopped.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    # A first start makes the database: some nine seconds here, more than the default half minute on a slow disk.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    # Nothing is sent anywhere that nobody asked for.
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}


def prefect_configured(environ: Mapping[str, str]) -> bool:
    """Whether Prefect would talk to a server of yours: PREFECT_API_URL, here or in the active profile."""
    if "PREFECT_API_URL" in environ:
        return bool(environ["PREFECT_API_URL"].strip())
    return bool(_profile(environ).get("PREFECT_API_URL"))


def _profile(environ: Mapping[str, str]) -> Mapping[str, Any]:
    home = Path(environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    path = Path(environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml").expanduser()
    try:
        with path.open("rb") as file:
            data = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        data = {}  # none, or one that Prefect itself will complain about
    name = environ.get("PREFECT_PROFILE") or data.get("active")
    profiles = data.get("profiles")
    found = profiles.get(name) if isinstance(profiles, dict) else None
    return found if isinstance(found, dict) else _BUILT_IN.get(str(name), {})


def quieten(environ: MutableMapping[str, str]) -> None:
    """Settings for a run that a person watches, before Prefect is imported. What is set already stands."""
    for name, value in _QUIET.items():
        environ.setdefault(name, value)
