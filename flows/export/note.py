"""The note that goes with the pictures: what they are, how to tell, and whose terms apply. Pure; no legal advice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flows.provenance.packet import TRAINED_ALGORITHMIC_MEDIA

SANDBOX = "sandbox"


def note(rows: Sequence[Mapping[str, Any]]) -> str:
    """The note on the copies of an index, in Markdown; the same for the same rows."""
    return "\n\n".join(part for part in (_what(rows), _play(rows), _marks(rows), _TERMS, _FILES) if part) + "\n"


def _what(rows: Sequence[Mapping[str, Any]]) -> str:
    models = Counter(str(row["model"]) for row in rows)
    days = sorted(f"{row['generated_at']:%Y-%m-%d}" for row in rows if row["generated_at"])
    when = "" if not days else f" on {days[0]}" if days[0] == days[-1] else f" between {days[0]} and {days[-1]}"
    listed = "".join(f"\n- {model}: {number}" for model, number in sorted(models.items()))
    pictures = "1 picture" if len(rows) == 1 else f"{len(rows):,} pictures"
    return (
        "# Licence and provenance\n\n"
        f"{pictures}, made{when} from the written prompts in `index.csv` by generative models\n"
        f"of Ideogram, through its API. No camera was involved: whatever looks like a photograph is none.\n{listed}"
    )


def _play(rows: Sequence[Mapping[str, Any]]) -> str:
    played = sum(row["origin"] == SANDBOX for row in rows)
    if not played:
        return ""
    which = "All of them" if played == len(rows) else f"{played:,} of them (`origin` is `{SANDBOX}`)"
    return (
        f"**{which} were drawn by the offline sandbox of ideoflow instead**, which stands in for the API\n"
        "while one tries things out. They are no work of a generative model, and not meant for publication."
    )


def _marks(rows: Sequence[Mapping[str, Any]]) -> str:
    inside, beside = sum(bool(row["embedded"]) for row in rows), sum(bool(row["xmp"]) for row in rows)
    source = f"<{TRAINED_ALGORITHMIC_MEDIA}>"
    apart = (
        f" For {beside:,} the same stands in an `.xmp` file beside the picture, since its own\n"
        "bytes must not change (a C2PA manifest, XMP of the vendor's) or cannot hold it."
    )
    if not inside and not beside:
        return (
            "## How to tell\n\n"
            "The files are byte for byte as the vendor delivered them. Who passes them on labels them: the IPTC's\n"
            f"digital source type for such pictures is\n{source}."
        )
    return (
        "## How to tell\n\n"
        f"Inside of {inside:,} files XMP names prompt, tool, image id and the IPTC's digital source type\n{source}.\n"
        f"Their pixels are unchanged.{apart if beside else ''}"
    )


_TERMS = """\
## What may be done with them

- The vendor's terms apply: those that the account accepted, as they stood on the day a picture was made. They say who
  may use the output, for what, and what the vendor does not promise: others may get similar pictures, and nobody
  warrants that a picture is free of other people's rights.
- Brands, products, people and lettering in a picture are not licensed by having been drawn. Look before you publish.
- Where the law or a platform asks for generated pictures to be labelled, label them, and leave the labels inside the
  files alone: many programs drop them when they save.

This note describes; it is no legal advice."""

_FILES = """\
## The files

`index.csv` (for spreadsheets) and `index.parquet` (for programs) list every picture with its prompt, model, seed, cost
and digests: `sha256` of the original, `copy_sha256` of the file here. In the CSV a text that a spreadsheet would run
as a formula has an apostrophe before it. The `.json` file beside a picture holds its row."""
