"""Fields of a request that the catalogue does not know: sent as they are written, but for those that are ours.

So a model's new option can be used on the day it ships. Pure; places are paths below the field.
"""

from __future__ import annotations

import re
from typing import Any

from flows.documents import shorten, shown
from flows.ideogram.catalogue import Endpoint
from flows.manifest.options import INPUTS, RESERVED, Checked
from flows.manifest.slips import Slip

_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def check_unchecked(endpoint: Endpoint, name: str, value: Any) -> Checked:
    """A field that the catalogue does not know: it may be anything but one that is ours or that is checked."""
    word = shorten(name)
    plain = name.strip().lower()
    if not _FIELD.fullmatch(name) and not (endpoint.option(plain) or plain in RESERVED):
        hint = "Write it as the vendor's documentation does, like new_option."
        return Checked(slips=(Slip((), f"{shown(name)} cannot be a field of a request", hint, key=True),))
    if plain in RESERVED or plain in endpoint.fixed:
        hint = RESERVED.get(plain, "Leave it out.").replace("`options`", "`options_unchecked`")
        return Checked(slips=(Slip((), f"`{word}` is not yours to send", hint, key=True),))
    if plain in INPUTS:
        hint = "Describe in the prompt what you want to see."
        return Checked(slips=(Slip((), f"`{word}`: input images are not sent by this version", hint, key=True),))
    if endpoint.option(plain) is not None:
        message = f"`{word}` is an option of {endpoint.model}, which is checked"
        return Checked(slips=(Slip((), message, f"Write `{plain}` under `options`.", key=True),))
    if value is None:
        return Checked(slips=(Slip((), f"`{word}` has no value", "Write one, or leave it out."),))
    note = "The API ignores what it does not know; and if this changes the price, the plan does not know."
    return Checked(value, notes=(Slip((), f"`{word}` goes to {endpoint.model} unchecked", note, key=True),))
