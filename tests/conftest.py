"""What every test starts from: an environment with nothing of the developer's in it.

A key, a proxy, a bucket or a Prefect server of yours must neither be used by a test nor change its result.
This runs at import, before any test module can import Prefect, which reads its settings when it is imported.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest

_SCRUBBED_PREFIXES = ("IDEOFLOW_", "IDEOGRAM_", "AWS_")
_SCRUBBED = {
    "PREFECT_API_URL",
    "PREFECT_API_KEY",
    "PREFECT_API_DATABASE_CONNECTION_URL",
    "PREFECT_PROFILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
}
_HOME = tempfile.mkdtemp(prefix="ideoflow-prefect-")
_GIVEN = {
    "PREFECT_HOME": _HOME,
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # Without these botocore would look for your profiles, and ask the network whether it is in a cloud.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def _scrub() -> None:
    for name in list(os.environ):
        if name.upper().startswith(_SCRUBBED_PREFIXES) or name.upper() in _SCRUBBED:
            del os.environ[name]
    os.environ.update(_GIVEN)


_scrub()


def pytest_unconfigure() -> None:
    """Prefect's throw-away home goes when the session does."""
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(autouse=True)
def clean_environment() -> Iterator[None]:
    """What a test sets is gone afterwards; what a session's server needs (a fake bucket's keys) stays."""
    before = dict(os.environ)
    yield
    for name in set(os.environ) - set(before):
        del os.environ[name]
    os.environ.update(before)
