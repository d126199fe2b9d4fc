"""Reading a request the way the vendor does: what it orders, or why it is refused. Pure.

Strict about the fields a model knows, silent about all others: unknown fields are ignored, as the real API
ignores them, and handed back so that they can be counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.ideogram.catalogue import CATALOGUE, SEED_MAX, Endpoint, Kind, Option, price_tier, undecided
from flows.ids import digest
from flows.sandbox.sizes import Sizing, sizing_of

_TRANSPORT = {"prompt", "num_images", "seed"}
_V2_TRANSPORT = {"async", "webhook_url", "private", "target_collection_id"}


@dataclass(frozen=True)
class Order:
    """A request that can be run."""

    endpoint: Endpoint
    prompt: str
    options: Mapping[str, Any]
    seed: int | None
    images: int
    sizing: Sizing
    asynchronous: bool
    body_digest: str
    ignored: tuple[str, ...]


class Invalid(Exception):
    """A 400. `schema` says whether the vendor's schema, rather than its reasoning, refused."""

    def __init__(self, message: str, *, schema: bool = True) -> None:
        self.message = message
        self.schema = schema
        super().__init__(message)


def parse_json(raw: bytes) -> Any:
    """The JSON of a body; Invalid if it is none."""
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Invalid("The request body is not valid JSON.") from error


def read_v2(endpoint: Endpoint, body: Any) -> Order:
    """An order on ``/v2/image/generate/{model}``."""
    if not isinstance(body, dict):
        raise Invalid("The request body must be a JSON object.")
    order = _read(endpoint, body, body, _V2_TRANSPORT)
    for name in ("async", "private"):
        if not isinstance(body.get(name, False), bool | None):
            raise Invalid(f"{name}: must be a boolean.")
    return order


def read_v1(endpoint: Endpoint, body: Any) -> Order:
    """An order on a v1 route: flat, and answered when it is done."""
    if not isinstance(body, dict):
        raise Invalid("The request body must be a JSON object.")
    return _read(endpoint, body, body, set())


def read_legacy(body: Any) -> Order:
    """An order on the legacy ``/generate``, nested under ``image_request``."""
    if not isinstance(body, dict) or not isinstance(body.get("image_request"), dict):
        raise Invalid("image_request: field required.")
    request = body["image_request"]
    model = request.get("model", "V_2")
    endpoint = CATALOGUE.get(model) if isinstance(model, str) else None
    if endpoint is None or endpoint.wraps is None:
        raise Invalid(f"model: {model!r} is not one of the models of this endpoint.")
    extra = tuple(name for name in body if name != "image_request")
    order = _read(endpoint, request, body, {"model"})
    return Order(**{**order.__dict__, "ignored": (*extra, *order.ignored)})


def _read(endpoint: Endpoint, request: dict[str, Any], body: Any, transport: set[str]) -> Order:
    known = _TRANSPORT | transport | {option.name for option in endpoint.options}
    ignored = [name for name in request if name not in known]
    options = {}
    for option in endpoint.options:
        value = request.get(option.name)
        if value is not None:
            options[option.name] = value
            ignored += _check(option, value)
    for option in endpoint.options:
        clash = next((other for other in option.excludes if other in options), None)
        if option.name in options and clash:
            raise Invalid(f"{option.name} cannot be used in conjunction with {clash}.", schema=False)
    if not undecided(endpoint, options) and (tier := price_tier(endpoint, options)) in endpoint.unsold:
        raise Invalid(f"This combination is not supported: {tier}.", schema=False)
    return Order(
        endpoint=endpoint,
        prompt=_prompt(request.get("prompt"), endpoint.max_prompt),
        options=options,
        seed=_whole(request, "seed", 0, SEED_MAX),
        images=_whole(request, "num_images", 1, endpoint.max_images) or 1,
        sizing=sizing_of(endpoint, options),
        asynchronous=bool(endpoint.asynchronous and (request.get("async") or request.get("webhook_url"))),
        body_digest=_digest(body),
        ignored=tuple(ignored),
    )


def _digest(body: Any) -> str:
    try:
        return digest(body)
    except UnicodeEncodeError as error:
        raise Invalid("The request body holds text that is not valid Unicode.") from error


def _prompt(value: Any, longest: int) -> str:
    if not isinstance(value, str):
        raise Invalid("prompt: a string is required.")
    if not value.strip():
        raise Invalid("Prompt must not be empty.", schema=False)
    if len(value) > longest:
        raise Invalid(f"prompt: must have at most {longest} characters.")
    return value


def _whole(request: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    value = request.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid(f"{name}: must be an integer between {least} and {most}.")
    return value


def _check(option: Option, value: Any) -> list[str]:
    """Refuses a value the schema does not allow; returns the paths of fields inside it that nobody knows."""
    if option.kind is Kind.ENUM and (not isinstance(value, str) or value not in option.values):
        raise Invalid(f"{option.name}: {value!r} is not one of the allowed values.")
    if option.kind is Kind.SIZE and value not in option.values:
        size = _SIZE.fullmatch(value) if isinstance(value, str) else None
        if size is None or option.grid is None or option.grid.refusal(int(size[1]), int(size[2])):
            raise Invalid(f"{option.name}: {value!r} is not a size that can be made.")
    if option.kind is Kind.BOOLEAN and not isinstance(value, bool):
        raise Invalid(f"{option.name}: must be a boolean.")
    if option.kind is Kind.TEXT:
        if not isinstance(value, str):
            raise Invalid(f"{option.name}: must be a string.")
        if option.max_length is not None and len(value) > option.max_length:
            raise Invalid(f"{option.name}: must have at most {option.max_length} characters.")
    if option.kind is Kind.CODES:
        codes = value if isinstance(value, list) else []
        if not codes or not all(isinstance(code, str) and _CODE.fullmatch(code) for code in codes):
            raise Invalid(f"{option.name}: must be a list of codes of 8 hexadecimal characters.")
    if option.kind is Kind.PALETTE:
        return _check_palette(option, value)
    return []


_SIZE = re.compile(r"([0-9]{2,5})x([0-9]{2,5})")
_CODE = re.compile(r"[0-9A-Fa-f]{8}")
_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}){1,2}")


def _check_palette(option: Option, value: Any) -> list[str]:
    name = option.name
    if not isinstance(value, dict) or ("name" in value) == ("members" in value):
        raise Invalid(f"{name}: needs either `name` or `members`.", schema=not isinstance(value, dict))
    ignored = [f"{name}.{key}" for key in value if key not in ("name", "members")]
    if "name" in value:
        if value["name"] not in option.values:
            raise Invalid(f"{name}.name: {value['name']!r} is not one of the allowed values.")
        return ignored
    members = value["members"]
    if not isinstance(members, list) or not 1 <= len(members) <= (option.max_length or 8):
        raise Invalid(f"{name}.members: must have between 1 and {option.max_length or 8} members.")
    for member in members:
        if not isinstance(member, dict) or not _is_hex(member.get("color_hex")):
            raise Invalid(f"{name}.members: each needs a color_hex such as #1A2B3C.")
        weight = member.get("color_weight")
        if weight is not None and not _is_weight(weight):
            raise Invalid(f"{name}.members: color_weight must be between 0.05 and 1.")
        ignored += [f"{name}.members.{key}" for key in member if key not in ("color_hex", "color_weight")]
    return ignored


def _is_hex(value: Any) -> bool:
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def _is_weight(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.05 <= value <= 1


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
