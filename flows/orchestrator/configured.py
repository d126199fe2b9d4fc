"""Is a Prefect server configured, and how is Prefect kept quiet? Files and variables, read as Prefect reads them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

# What Prefect itself takes these profiles for, while the user's file does not define them.
_BUILT_IN: Mapping[str, Mapping[str, Any]] = {"local": {"PREFECT_API_URL": "http://127.0.0.1:4200/api"}}

# For a run that a person watches: the run speaks for itself, in Prefect's log too, which this leaves as it is.
_QUIET = {
    # Prefect prints every change of state, between the lines of a progress bar.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    # So does the machinery that delivers logs and events, at length, when the server is away.
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    # A server that is gone for longer than some seconds is not waited for: nothing of ours depends on it.
    "PREFECT_CLIENT_MAX_RETRIES": "2",
    # Nothing is sent anywhere that nobody asked for.
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}


def prefect_configured(environ: Mapping[str, str]) -> bool:
    """Whether Prefect would talk to a server of yours: PREFECT_API_URL, here or in the active profile."""
    if "PREFECT_API_URL" in environ:
        return bool(environ["PREFECT_API_URL"].strip())
    return bool(_profile(environ).get("PREFECT_API_URL"))


def prefect_home(environ: Mapping[str, str]) -> Path:
    """The folder of Prefect's database and profiles."""
    return Path(environ.get("PREFECT_HOME") or "~/.prefect").expanduser()


def _profile(environ: Mapping[str, str]) -> Mapping[str, Any]:
    path = Path(environ.get("PREFECT_PROFILES_PATH") or prefect_home(environ) / "profiles.toml").expanduser()
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
