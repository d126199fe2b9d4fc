"""The contract of the history's columns: name, type, unit, meaning and the version of the schema that brought each.

This is the one place where a column is declared: the Arrow schemas (`flows.history.schema`) and ``docs/history.md``
are made from it. A new column goes at the end of its dataset with ``since`` one above the highest version released
so far, and may be null: rows of older parts do not have it. A column that was released is never renamed, retyped
or removed. Knows no rows, no storage.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

TEXT: pa.DataType = pa.string()
FLAG: pa.DataType = pa.bool_()
INT: pa.DataType = pa.int32()
LONG: pa.DataType = pa.int64()
NUMBER: pa.DataType = pa.float64()
BYTES: pa.DataType = pa.binary()
TIME: pa.DataType = pa.timestamp("us", tz="UTC")
TEXTS: pa.DataType = pa.list_(pa.string())
COLOURS: pa.DataType = pa.list_(pa.struct([(name, pa.float32()) for name in ("l", "a", "b", "share")]))
LINES: pa.DataType = pa.list_(
    pa.struct([("text", pa.string()), *((name, pa.float32()) for name in ("score", "left", "top", "right", "bottom"))])
)


@dataclass(frozen=True)
class Column:
    """One column. `meaning` is a sentence for who analyses; `unit` is empty where there is none."""

    name: str
    type: pa.DataType
    meaning: str
    unit: str = ""
    since: int = 1


@dataclass(frozen=True)
class Dataset:
    """One dataset: a folder of parts. `key` names a row (readers keep one row of each), `time` is what `since` asks."""

    meaning: str
    key: tuple[str, ...]
    time: str
    columns: tuple[Column, ...]


_IMAGES = (
    Column("image_id", TEXT, "Its id: the request's and its index; sorts by time."),
    Column("request_id", TEXT, "The paid request that made it: a UUIDv7."),
    Column("fingerprint", TEXT, "SHA-256 of all that decides what the picture shows: brand, model, prompt, options."),
    Column("n", INT, "Which request of this fingerprint it was, from 0 without gaps."),
    Column("image_index", INT, "Which image of the request, from 0."),
    Column("generation_id", TEXT, "The vendor's id of the generation."),
    Column("run_id", TEXT, "The run that bought it."),
    Column("origin", TEXT, "Who made it: the API's host, or `sandbox` for pictures of the offline stand-in."),
    Column("status", TEXT, "`stored`; `withheld`: billed, no link given; `lost`: billed, bytes unobtainable."),
    Column("prompt_id", TEXT, "The prompt's id in the manifest, when it was bought."),
    Column("variant", TEXT, "The variant: prompt id and its place on each axis, when it was bought."),
    Column("brand", TEXT, "The brand it was made for."),
    Column("campaign", TEXT, "The campaign, when it was bought."),
    Column("tags", TEXTS, "The tags, when it was bought."),
    Column("prompt", TEXT, "The prompt as sent; JSON where it was a map."),
    Column("final_prompt", TEXT, "The prompt the model really used, by the vendor's word (magic prompt rewrites it)."),
    Column("negative_prompt", TEXT, "What was to be left out of the picture."),
    Column("lettering", TEXT, "The words that must be readable in the picture."),
    Column("endpoint", TEXT, "The path of the API that was called."),
    Column("model", TEXT, "The model's name in the manifest's words."),
    Column("options", TEXT, "The vendor's options as sent, as JSON."),
    Column("edition", TEXT, "Why it was bought once more: a period of `refresh`, or free text."),
    Column("aspect_ratio", TEXT, "The shape asked for, such as `16:9`."),
    Column("resolution_asked", TEXT, "The size asked for, in the API's words."),
    Column("resolution_reported", TEXT, "The size the API says it made."),
    Column("width", INT, "Measured width of the stored file.", "px"),
    Column("height", INT, "Measured height of the stored file.", "px"),
    Column("seed_asked", LONG, "The seed asked for."),
    Column("seed", LONG, "The seed used, by the vendor's word."),
    Column("is_image_safe", FLAG, "Whether the vendor's filter passed it."),
    Column("image_url", TEXT, "The link it was fetched from, its signature removed: it does not open."),
    Column("requested_at", TIME, "When the request was claimed; the month of the partition.", "UTC"),
    Column("generated_at", TIME, "When the vendor says it was made; else when the answer came.", "UTC"),
    Column("expires_at", TIME, "When the link ended.", "UTC"),
    Column("stored_at", TIME, "When its bytes were verified on the storage.", "UTC"),
    Column("expiry_margin_s", NUMBER, "How long the link would still have lived when it was stored.", "s"),
    Column("local_path", TEXT, "Its file, relative to the image storage."),
    Column("media_type", TEXT, "Such as `image/png`."),
    Column("bytes", LONG, "Size of the stored file.", "bytes"),
    Column("sha256", TEXT, "Digest of the stored file."),
    Column("flaw", TEXT, "What is odd about the file, though it was kept."),
    Column("cost_usd", NUMBER, "Its share of what the request cost; exact sums are in `requests.cost_micros`.", "USD"),
    Column("price_source", TEXT, "`api` where the vendor stated the cost, else where the price is from."),
    Column("retention", TEXT, "The retention class its prompt named, when it was bought.", "", 2),
    Column("etag", TEXT, "The storage's own mark of the file, when it was stored.", "", 2),
)

_REQUESTS = (
    Column("request_id", TEXT, "A UUIDv7, made when the request was claimed."),
    Column("fingerprint", TEXT, "As in `images`."),
    Column("n", INT, "Which request of this fingerprint it was, from 0 without gaps."),
    Column("revision", INT, "1 for a row that mends an earlier one, whose answer came late; the highest stands."),
    Column("outcome", TEXT, "`completed`, `void` (did not run), `refused` (by policy) or `written_off`."),
    Column("answered", FLAG, "Whether the API's answer is on record."),
    Column("reason", TEXT, "Why it ended so, in words."),
    Column("images", INT, "How many images were asked for.", "images"),
    Column("counted", INT, "How many count as bought.", "images"),
    Column("cost_micros", LONG, "What it cost, exactly.", "USD / 1,000,000"),
    Column("cost_usd", NUMBER, "The same in dollars.", "USD"),
    Column("price_source", TEXT, "`api` where the vendor stated the cost, else where the price is from."),
    Column("run_id", TEXT, "The run that sent it."),
    Column("origin", TEXT, "As in `images`."),
    Column("endpoint", TEXT, "The path of the API that was called."),
    Column("model", TEXT, "The model's name in the manifest's words."),
    Column("status", INT, "The HTTP status of the answer."),
    Column("reject_reason", TEXT, "Why the vendor refused it, in the vendor's words."),
    Column("x_request_id", TEXT, "The vendor's id of the call, for its support."),
    Column("generation_id", TEXT, "The vendor's id of the generation."),
    Column("prompt_id", TEXT, "As in `images`."),
    Column("variant", TEXT, "As in `images`."),
    Column("brand", TEXT, "As in `images`."),
    Column("campaign", TEXT, "As in `images`."),
    Column("tags", TEXTS, "As in `images`."),
    Column("requested_at", TIME, "When it was claimed; the month of the partition.", "UTC"),
    Column("answered_at", TIME, "When the answer came.", "UTC"),
    Column("ended_at", TIME, "When all its images were dealt with.", "UTC"),
    Column("latency_s", NUMBER, "From the request to the finished generation, where we waited for it.", "s"),
    Column("request", TEXT, "The whole body as sent, as JSON."),
)

_LIFECYCLE = (
    Column("event_id", TEXT, "A UUIDv7; of two events of one aspect the later id stands."),
    Column("at", TIME, "When it happened.", "UTC"),
    Column("event", TEXT, "What happened, such as `trashed`, `restored`, `purged`, `held`, `approved`, `relabelled`."),
    Column("image_id", TEXT, "The image it happened to; null where it concerns all images of a fingerprint."),
    Column("fingerprint", TEXT, "The fingerprint it concerns."),
    Column("reason", TEXT, "Why, in words."),
    Column("policy", TEXT, "The rule that decided, if one did."),
    Column("actor", TEXT, "The flow or the person that did it."),
    Column("run_id", TEXT, "The run it belongs to."),
    Column("details", TEXT, "More, as JSON: the new names of a `relabelled`, for instance."),
)

_FEATURES = (
    Column("sha256", TEXT, "Digest of the file that was measured."),
    Column("extractor", INT, "Version of the measuring code; the highest of a digest is the latest."),
    Column("image_id", TEXT, "The image whose file it was; others may have the same bytes."),
    Column("width", INT, "Width.", "px"),
    Column("height", INT, "Height.", "px"),
    Column("mode", TEXT, "Pillow's mode, such as `RGB`."),
    Column("phash", TEXT, "Perceptual hash (DCT), 64 bits in hexadecimal."),
    Column("dhash", TEXT, "Perceptual hash (gradients), 64 bits in hexadecimal."),
    Column("thumbnail", BYTES, "A small picture, as WebP."),
    Column("extracted_at", TIME, "When it was measured.", "UTC"),
    Column(
        "palette", COLOURS, "Its colours and the share of the visible area each covers, the largest first.", "CIELAB", 2
    ),
    Column("alpha", NUMBER, "Share of the area that is visible, 1 for opaque pictures.", "0 to 1", 2),
    Column("icc", TEXT, "Name of the embedded colour profile.", "", 2),
    Column("sharpness", NUMBER, "Variance of the Laplacian: the lower, the blurrier.", "", 2),
    Column("contrast", NUMBER, "Standard deviation of the lightness; near 0 is flat.", "0 to 255", 2),
    Column("brightness", NUMBER, "Mean lightness.", "0 to 255", 2),
    Column("embedded", TEXT, "Metadata found inside the file, as JSON.", "", 2),
)

_READINGS = (
    Column("sha256", TEXT, "Digest of the file that was read.", "", 2),
    Column("engine", TEXT, "The reader and its version.", "", 2),
    Column("image_id", TEXT, "The image whose file it was; others may have the same bytes.", "", 2),
    Column("lines", LINES, "Each line of lettering: words, certainty, and its box.", "share of width and height", 2),
    Column("failure", TEXT, "Why it could not be read.", "", 2),
    Column("read_at", TIME, "When it was read.", "UTC", 2),
)

_FINDINGS = (
    Column("finding_id", TEXT, "The same for the same trouble in every audit."),
    Column("audit_id", TEXT, "The audit that found it."),
    Column("found_at", TIME, "When.", "UTC"),
    Column("check", TEXT, "The check that looked."),
    Column("code", TEXT, "What kind of finding it is: check and rule, such as `palette.off_brand`."),
    Column("severity", TEXT, "`note`, `warning` or `error`."),
    Column("state", TEXT, "Whether it is new, known, or gone since the audit before."),
    Column("subject", TEXT, "What it is about: an image id, a digest, a prompt id, `a+b` for a pair."),
    Column("image_id", TEXT, "The image it is about."),
    Column("related_image_id", TEXT, "The other image, where it takes two."),
    Column("prompt_id", TEXT, "The prompt's id in the manifest."),
    Column("variant", TEXT, "The variant."),
    Column("brand", TEXT, "The brand."),
    Column("campaign", TEXT, "The campaign."),
    Column("message", TEXT, "What was found, in words."),
    Column("remedy", TEXT, "What to do about it."),
    Column("measure", NUMBER, "What was measured, in `unit`."),
    Column("threshold", NUMBER, "The bound that it crossed, in `unit`."),
    Column("unit", TEXT, "The unit of `measure` and `threshold`."),
    Column("accepted", FLAG, "Whether somebody said that it is all right."),
    Column("details", TEXT, "More, as JSON."),
)

HISTORY: Mapping[str, Dataset] = {
    "images": Dataset("One row per billed image.", ("image_id",), "requested_at", _IMAGES),
    "requests": Dataset("One row per call, void and refused ones too.", ("request_id",), "requested_at", _REQUESTS),
    "lifecycle": Dataset("What happened to images after they were bought.", ("event_id",), "at", _LIFECYCLE),
    "features": Dataset("Measured from the stored bytes.", ("sha256", "extractor"), "extracted_at", _FEATURES),
    "readings": Dataset("Lettering read from the stored bytes.", ("sha256", "engine"), "read_at", _READINGS),
    "findings": Dataset("What audits found.", ("finding_id", "audit_id"), "found_at", _FINDINGS),
}

SCHEMA_VERSION = max(column.since for dataset in HISTORY.values() for column in dataset.columns)


def schema_of(columns: tuple[Column, ...]) -> pa.Schema:
    """The Arrow schema of columns."""
    return pa.schema([(column.name, column.type) for column in columns])
