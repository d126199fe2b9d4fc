"""The history is plain Parquet: pandas reads it without us, from a disk and from a bucket."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

TIMES = ("requested_at", "generated_at", "expires_at", "stored_at")
TEXTS = ("image_id", "request_id", "fingerprint", "prompt_id", "variant", "prompt", "model", "options", "sha256")


@pytest.fixture(params=["place", pytest.param("bucket_place", marks=pytest.mark.s3)])
def bought(request: pytest.FixtureRequest) -> Any:
    """A project with three images."""
    place: Any = request.getfixturevalue(request.param)
    place.manifest(3)
    assert place.run() is not None
    return place


def test_pandas_reads_the_images(bought: Any) -> None:
    """`pd.read_parquet` of the folder gives the documented types, and costs can be added up."""
    images = bought.raw("images")
    assert len(images) == 3
    for name in TIMES:
        assert str(images[name].dtype) == "datetime64[us, UTC]", name
    for name in TEXTS:
        assert images[name].dtype == "str", name
    assert images["cost_usd"].dtype == "float64"
    assert images["cost_usd"].sum() == pytest.approx(0.18)
    assert (images["cost_usd"] * 2).mean() == pytest.approx(0.12)
    assert images["bytes"].dtype == "int64"
    assert [list(tags) for tags in images["tags"]] == [[], [], []]
    assert isinstance(images["month"].dtype, pd.CategoricalDtype)
    assert not images["image_url"].str.contains("sig=").any() or images["image_url"].str.contains(r"sig=\*+").all()
    assert (images["expiry_margin_s"] > 0).all()


def test_pandas_reads_the_requests_and_features(bought: Any) -> None:
    """A row per call with the exact cost, and a row per picture with its measures."""
    requests, features = bought.raw("requests"), bought.raw("features")
    assert requests["cost_micros"].sum() == 180_000
    assert set(requests["outcome"]) == {"completed"}
    if len(features):
        assert features["phash"].str.len().eq(16).all()
