"""Settings: `configs/*.yaml` and the environment, read once into one frozen value.

`model` says what can be set, with meaning, unit and default; `load` finds, checks and lays over one another
`configs/base.yaml`, overlays and the environment; `generate` writes `configs/base.yaml` from the model. Only
the composition root and the commands import this room: whatever needs a setting below is given it.
"""

from flows.settings.generate import base_yaml
from flows.settings.load import load_settings
from flows.settings.loaded import Loaded, Source
from flows.settings.model import Api, Budget, Generate, Sandbox, Schedule, Schedules, Sections, Settings, Storage

__all__ = [
    "Api",
    "Budget",
    "Generate",
    "Loaded",
    "Sandbox",
    "Schedule",
    "Schedules",
    "Sections",
    "Settings",
    "Source",
    "Storage",
    "base_yaml",
    "load_settings",
]
