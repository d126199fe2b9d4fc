"""The maintain flow as Prefect has it, before any server: its form, its journey to another process, no retries."""

from __future__ import annotations

import json
from typing import Any

import cloudpickle  # type: ignore[import-untyped] # as Prefect's runner uses it
import pytest
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

from flows.maintain import maintain

pytestmark = pytest.mark.prefect


def test_the_form_is_flat_and_explains_itself() -> None:
    """Every parameter is a text, a switch or a list of texts, with a default and a description: no unions."""
    loaded: Any = load_flow_from_entrypoint("flows.maintain.maintain")
    schema = parameter_schema(loaded).model_dump()
    kinds = {name: field["type"] for name, field in schema["properties"].items()}
    assert kinds == {"subset": "string", "compact": "boolean", "config": "array", "project": "string"}
    assert not schema.get("required")
    assert "anyOf" not in json.dumps(schema)
    assert all(field["description"] and "default" in field for field in schema["properties"].values())
    assert loaded.description.startswith("Finish what killed runs left")


def test_a_runner_can_take_the_flow_elsewhere() -> None:
    """Its parameters are still known there, and checked."""
    carried = cloudpickle.loads(cloudpickle.dumps(maintain))
    assert carried.validate_parameters({"subset": "today/7"})["subset"] == "today/7"
    with pytest.raises(Exception, match="valid string"):
        carried.validate_parameters({"subset": 7})


def test_prefect_repeats_nothing() -> None:
    """A maintain that failed is run again by the next schedule, not by Prefect."""
    assert maintain.retries == 0
    assert maintain.persist_result is False
