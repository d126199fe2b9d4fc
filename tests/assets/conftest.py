"""Properties of assets take the time they take."""

from __future__ import annotations

from hypothesis import settings

# A shared, busy machine is no reason for a property to fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
