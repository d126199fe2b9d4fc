"""Pictures found in the wild: ours are found however they were re-encoded, others are not, and how sure it is."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from flows.assets.extractor import EXTRACTOR_VERSION, LIKENESS_VERSIONS
from flows.assets.features import extract
from flows.assets.likeness import LIKELY, confidence, difference
from flows.errors import BadImage
from flows.history.parts import Parts
from flows.ids import sha256, uuid7
from flows.measuring import feature_row
from flows.provenance.marking import marked
from flows.provenance.packet import Origin, packet
from flows.recognition import How, recognise
from flows.sandbox.renderer import Picture, render
from flows.storage import open_storage

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOTIFS = (
    "a glass bottle on wet sand",
    "a lighthouse at night",
    "a mountain lake in fog",
    "a city skyline at dusk",
    'a poster, lettering "SUMMER"',
    "a bowl of oranges",
    "botanical illustration of a fern",
    "a seaside breakfast table",
)
SIZES = ((512, 512), (640, 360), (360, 640))


def drawn(number: int, *, rich: bool) -> bytes:
    """A picture of the sandbox, another one for every number."""
    width, height = SIZES[number % len(SIZES)]
    picture = Picture(MOTIFS[number % len(MOTIFS)], {}, number * 7919 + 5, width, height)
    return render(picture, "rich" if rich else "plain")


def decoded(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def cropped(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    width, height = image.size
    return image.crop((int(width * left), int(height * top), int(width * (1 - right)), int(height * (1 - bottom))))


def halved(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)


EDITS: dict[str, Callable[[Image.Image], bytes]] = {
    "jpeg 40": lambda image: saved(image, "JPEG", quality=40),
    "jpeg 70": lambda image: saved(image, "JPEG", quality=70),
    "jpeg 95": lambda image: saved(image, "JPEG", quality=95),
    "webp 50": lambda image: saved(image, "WEBP", quality=50),
    "half size": lambda image: saved(halved(image)),
    "cut all around": lambda image: saved(cropped(image, 0.02, 0.02, 0.02, 0.02)),
    "cut at the left": lambda image: saved(cropped(image, 0.02, 0, 0, 0)),
    "cut at the bottom": lambda image: saved(cropped(image, 0, 0, 0, 0.02)),
    "cut in a corner": lambda image: saved(cropped(image, 0, 0.02, 0.02, 0)),
    "cut, halved, jpeg 40": lambda image: saved(halved(cropped(image, 0.02, 0.02, 0.02, 0.02)), "JPEG", quality=40),
}


@dataclass(frozen=True)
class Library:
    """A history of some pictures: their ids and bytes."""

    parts: Parts
    pictures: dict[str, bytes]


def shelved(root: Path, pictures: Sequence[bytes]) -> Library:
    """A history with a row and features for each picture."""
    count = iter(range(10_000))

    def new_id() -> str:
        return uuid7(NOW, lambda length: next(count).to_bytes(length, "big"))

    parts = Parts(open_storage(str(root)), new_id)
    named = {f"{new_id()}-0": data for data in pictures}
    images = [{"image_id": name, "status": "stored", "sha256": sha256(data)} for name, data in named.items()]
    measured = [feature_row(extract(data), name, sha256(data), NOW) for name, data in named.items()]
    parts.write("images", "2026-11", images)
    parts.write("features", "2026-11", measured)
    return Library(parts, named)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Sixteen rich pictures, two of each motif, and twenty-four plain ones."""
    pictures = [drawn(number, rich=True) for number in range(16)] + [drawn(number, rich=False) for number in range(24)]
    return shelved(tmp_path_factory.mktemp("library"), pictures)


QUICK = ("jpeg 40", "half size", "cut all around")


@pytest.mark.slow
@pytest.mark.parametrize("edit", EDITS)
def test_our_pictures_are_found_again(library: Library, edit: str) -> None:
    """Every picture, after each kind of handling, with the right one first; its confidence is above the threshold."""
    sought(library, edit, list(library.pictures))


@pytest.mark.parametrize("edit", QUICK)
def test_some_of_our_pictures_are_found_again(library: Library, edit: str) -> None:
    """The same for some."""
    sought(library, edit, list(library.pictures)[::6])


def sought(library: Library, edit: str, names: Sequence[str]) -> None:
    """Each of these is found, and taken for itself."""
    least = 1.0
    for name in names:
        found = recognise(library.parts, EDITS[edit](decoded(library.pictures[name])), extract)
        assert found.matches, (edit, found.nearest)
        assert found.matches[0].image_id == name, (edit, found.matches)
        assert LIKELY <= found.matches[0].confidence < 1
        assert found.matches[0].how is How.LIKENESS
        least = min(least, found.matches[0].confidence)
    print(f"{edit}: {len(names)} pictures found, confidence {least:.4f} and more")


def foreign(every: int = 1) -> Iterator[bytes]:
    """500 pictures that are not ours: the sandbox's own with other seeds, photograph-like ones, pages, patterns."""
    for number in range(0, 500, every):
        turn, kind = divmod(number, 10)
        if kind < 6:
            yield saved(_strange(6 * turn + kind))
        else:
            yield drawn(1000 + 3 * turn + kind - 6, rich=kind == 9)


def _strange(number: int) -> Image.Image:
    rng = np.random.default_rng(number)
    kind = number % 6
    if kind == 0:  # clouds, as in an out of focus photograph
        small = rng.integers(0, 256, (5, 7, 3), dtype=np.uint8)
        return Image.fromarray(small).resize((420, 300), Image.Resampling.BICUBIC)
    if kind == 1:  # noise
        return Image.fromarray(rng.integers(0, 256, (200, 200, 3), dtype=np.uint8))
    if kind == 2:  # a page of text
        page = Image.new("RGB", (300, 420), "white")
        pen = ImageDraw.Draw(page)
        for line in range(40):
            pen.rectangle((20, 10 + 10 * line, int(rng.integers(40, 280)), 14 + 10 * line), fill="black")
        return page
    if kind == 3:  # stripes
        stripes = np.sin(np.linspace(0, rng.uniform(5, 60), 300))[None, :, None] * 100 + rng.uniform(80, 150, 3)
        return Image.fromarray(np.broadcast_to(stripes, (200, 300, 3)).clip(0, 255).astype(np.uint8))
    if kind == 4:  # one colour, or nearly
        return Image.new("RGB", (256, 256), tuple(int(one) for one in rng.integers(0, 256, 3)))
    image = Image.new("RGB", (320, 240), tuple(int(one) for one in rng.integers(0, 256, 3)))
    pen = ImageDraw.Draw(image)
    for _ in range(6):
        x, y, r = (int(one) for one in rng.integers(20, 240, 3))
        pen.ellipse(
            (x - r // 3, y - r // 3, x + r // 3, y + r // 3), fill=tuple(int(c) for c in rng.integers(0, 256, 3))
        )
    return image.filter(ImageFilter.GaussianBlur(4))


@pytest.mark.slow
def test_others_are_not_taken_for_ours(library: Library) -> None:
    """Of 500 pictures that are not ours, many from the same brush, none comes above the threshold."""
    assert strangers(library, foreign()) == 500


def test_some_others_are_not_taken_for_ours(library: Library) -> None:
    """The same for some of them, of each kind."""
    assert strangers(library, foreign(every=17)) == 30


def strangers(library: Library, pictures: Iterable[bytes]) -> int:
    """How many there are, all of which are told apart from ours."""
    looked, highest = 0, 0.0
    for data in pictures:
        found = recognise(library.parts, data, extract)
        assert not found.matches, found
        assert found.compared == len(library.pictures)
        highest = max(highest, found.nearest.confidence if found.nearest else 0.0)
        looked += 1
    print(f"{looked} foreign pictures, the nearest with a confidence of {highest:.4f} (threshold {LIKELY})")
    return looked


def test_the_very_file_is_certain(library: Library) -> None:
    """A digest needs no look, and no decoder: nothing is measured."""
    name, data = next(iter(library.pictures.items()))

    def measure(_: bytes) -> str:
        raise AssertionError("measured")

    [match] = recognise(library.parts, data, measure).matches
    assert (match.image_id, match.how, match.confidence) == (name, How.DIGEST, 1.0)


def test_an_exported_copy_is_found_and_its_mark_is_not_believed(library: Library) -> None:
    """A marked copy leads to its image; the same mark on another picture is told of, not followed."""
    (name, data), (_, other) = list(library.pictures.items())[:2]
    mark = packet(Origin(name, "p", "Ideogram", "m", "t"))
    found = recognise(library.parts, marked(data, mark).data, extract)
    assert (found.matches[0].image_id, found.claimed, found.doubted) == (name, name, False)
    forged = recognise(library.parts, marked(other, mark).data, extract)
    assert forged.claimed == name
    assert forged.doubted
    assert forged.matches[0].image_id != name
    stranger = recognise(library.parts, marked(saved(_strange(5)), mark).data, extract)
    assert (stranger.matches, stranger.doubted) == ((), True)


def test_what_was_never_measured_is_counted(tmp_path: Path) -> None:
    """A picture without features cannot be compared, and whoever asks is told how many there are."""
    library = shelved(tmp_path, [drawn(1, rich=False)])
    bare = {"image_id": "bare-0", "status": "stored", "sha256": "0" * 64}
    library.parts.write("images", "2026-11", [bare])
    found = recognise(library.parts, drawn(2, rich=False), extract)
    assert (found.compared, found.unmeasured) == (1, 1)


def first_version(data: bytes) -> dict[str, Any]:
    """What the first extractor measured for likeness: hashes and a thumbnail of the whole picture."""
    picture = decoded(data)
    hashes = {"phash": str(imagehash.phash(picture)), "dhash": str(imagehash.dhash(picture))}
    picture.thumbnail((256, 256), Image.Resampling.LANCZOS)
    return {"extractor": 1, **hashes, "thumbnail": saved(picture, "WEBP", quality=70, method=4)}


def test_features_of_an_older_extractor_are_compared(tmp_path: Path) -> None:
    """After an upgrade nothing of ours is a stranger, as long as hashes mean the same; today's features go first."""
    pictures = [drawn(number, rich=False) for number in range(6)]
    library = shelved(tmp_path, pictures)
    measured = library.parts.read(library.parts.listing("features"), "features").to_pylist()
    library.parts.storage.delete(library.parts.listing("features"))
    bytes_of = {sha256(data): data for data in pictures}
    older = [row | first_version(bytes_of[row["sha256"]]) for row in measured]
    # Of one there are both: the older one is another picture's, so that it is seen which of them is taken.
    library.parts.write("features", "2026-10", [*older[:5], older[5] | first_version(drawn(99, rich=False))])
    library.parts.write("features", "2026-11", measured[5:])
    for name, data in library.pictures.items():
        for edit in QUICK:
            found = recognise(library.parts, EDITS[edit](decoded(data)), extract)
            assert found.matches[0].image_id == name, (edit, found.nearest)
            assert (found.compared, found.unmeasured) == (6, 0)
    assert not recognise(library.parts, saved(decoded(drawn(99, rich=False)), "JPEG"), extract).matches


def test_features_that_mean_something_else_are_not_compared(tmp_path: Path) -> None:
    """Hashes of an extractor that is not known to hash alike say nothing; whoever asks is told how many there are."""
    library = shelved(tmp_path, [drawn(number, rich=False) for number in range(3)])
    measured = library.parts.read(library.parts.listing("features"), "features").to_pylist()
    library.parts.storage.delete(library.parts.listing("features"))
    unknown = max(LIKENESS_VERSIONS) + 1
    library.parts.write("features", "2026-11", [measured[0], *(row | {"extractor": unknown} for row in measured[1:])])
    found = recognise(library.parts, saved(decoded(library.pictures[measured[1]["image_id"]]), "JPEG"), extract)
    assert (found.matches, found.compared, found.unmeasured) == ((), 1, 2)


def test_todays_extractor_is_one_of_those_that_are_compared() -> None:
    """Who raises the version decides whether hashes and thumbnails still mean what they meant."""
    assert max(LIKENESS_VERSIONS) == EXTRACTOR_VERSION


def test_an_empty_history_knows_nobody(tmp_path: Path) -> None:
    """No parts at all are no error."""
    parts = Parts(open_storage(str(tmp_path)), lambda: "x")
    assert recognise(parts, drawn(1, rich=False), extract).matches == ()


def test_what_is_no_picture_is_an_error(library: Library) -> None:
    """Measured in a process of its own, as it is by default."""
    with pytest.raises(BadImage):
        recognise(library.parts, b"<html>not found</html>")
    # And a picture comes through the same door.
    name, data = list(library.pictures.items())[-1]
    assert recognise(library.parts, saved(decoded(data), "JPEG", quality=70)).matches[0].image_id == name


def test_confidence_falls_with_the_difference() -> None:
    """It is a curve from near one to near zero, even where the difference is absurd."""
    values = [confidence(apart) for apart in (0.0, 0.05, 0.12, 0.165, 0.21, 0.5, 5.0)]
    assert values == sorted(values, reverse=True)
    assert values[2] > LIKELY
    assert values[3] == pytest.approx(0.5)
    assert values[4] < 0.1


def test_what_is_damaged_or_empty_says_nothing() -> None:
    """A thumbnail that cannot be read, and pictures of one colour, are neither alike nor unlike."""
    full = extract(drawn(1, rich=False)).thumbnail
    flat = extract(saved(Image.new("RGB", (64, 64), "red"))).thumbnail
    assert difference(full, full) == 0
    for one, other in ((full, b"torn"), (flat, flat), (full, flat), (flat, full)):
        assert difference(one, other) is None
