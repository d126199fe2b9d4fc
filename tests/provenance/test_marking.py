"""Packets inside pictures: read back by others, nothing else touched, signed files left alone."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from flows.provenance.jpeg import ROOM
from flows.provenance.marking import claimed_id, container_of, marked, signed
from flows.provenance.packet import TRAINED_ALGORITHMIC_MEDIA, Origin, packet

ORIGIN = Origin(
    image_id="0199-0",
    prompt='Öl & "Wasser" <auf> 木\r\nline two \x00\x0b\ud800',
    system="Ideogram",
    model="ideogram-3",
    tool="ideoflow 1.2",
    final_prompt="what was drawn",
    generated_at=datetime(2026, 11, 22, 21, 42, 5, tzinfo=UTC),
)
PACKET = packet(ORIGIN)


def frames(data: bytes) -> list[tuple[str, tuple[int, int], bytes]]:
    """Every frame as Pillow decodes it."""
    with Image.open(io.BytesIO(data)) as image:
        return [(frame.mode, frame.size, frame.tobytes()) for frame in ImageSequence.Iterator(image)]


def beside(data: bytes) -> dict[str, Any]:
    """What else Pillow finds in a file: the colour profile, Exif, resolution, durations."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return {str(key): value for key, value in image.info.items() if "xmp" not in str(key).lower()}


def test_a_packet_is_found_by_an_independent_reader(picture: bytes) -> None:
    """Pillow gives the very packet back, the same pixels in every frame, and everything else the file had."""
    done = marked(picture, PACKET)
    assert done.beside is None
    with Image.open(io.BytesIO(done.data)) as image:
        image.load()
        found = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
    assert found == PACKET
    assert frames(done.data) == frames(picture)
    assert beside(done.data) == beside(picture)
    assert claimed_id(done.data) == "0199-0"
    assert claimed_id(picture) is None


def test_nothing_but_the_packet_is_added(picture: bytes) -> None:
    """Every piece of the old file is in the new one, byte for byte and in its order."""
    container = container_of(picture)
    assert container is not None
    before = [piece.raw for piece in container.pieces(picture) if not container.bookkeeping(piece)]
    after = [piece for piece in container.pieces(marked(picture, PACKET).data) if not container.bookkeeping(piece)]
    assert [piece.raw for piece in after if not container.is_xmp(piece)] == before
    assert len(after) == len(before) + 1


def test_exiftool_reads_what_was_written(pictures: Mapping[str, bytes], tmp_path: Path) -> None:
    """In files of every kind the tool of the trade finds prompt, source type, id and tool, and no fault."""
    tool = shutil.which("exiftool")
    if tool is None:
        pytest.skip("exiftool is not installed (Debian: libimage-exiftool-perl)")
    for name, data in pictures.items():
        (tmp_path / name).write_bytes(marked(data, PACKET).data)
    files = [str(tmp_path / name) for name in pictures]
    asked = [tool, "-json", "-G1", "-struct", "-charset", "utf8", "-validate", "-warning", "-a", "-xmp:all"]
    found = subprocess.run([*asked, *files], capture_output=True, check=True).stdout
    told = json.loads(found)
    assert {Path(said["SourceFile"]).name for said in told} == set(pictures)
    for said in told:
        _complete(said)


def _complete(said: Mapping[str, Any]) -> None:
    expected = 'Öl & "Wasser" <auf> 木\r\nline two \ufffd\ufffd\ufffd'
    assert said["XMP-dc:Description"] == expected
    assert said["XMP-iptcExt:DigitalSourceType"] == TRAINED_ALGORITHMIC_MEDIA
    assert said["XMP-dc:Identifier"] == "ideoflow:0199-0"
    assert said["XMP-xmp:CreatorTool"] == "ideoflow 1.2"
    assert said["XMP-iptcExt:AISystemUsed"] == "Ideogram"
    assert said["XMP-iptcExt:AIPromptInformation"] == "what was drawn"
    complaints = {key: value for key, value in said.items() if key.endswith(":Warning") and "XMP" in str(value)}
    assert not complaints


@pytest.mark.parametrize(("kind", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")])
def test_a_signed_picture_is_left_byte_for_byte(kind: str, media_type: str, sign: Any) -> None:
    """A C2PA manifest is bound to the bytes of its file: seen, and nothing is added."""
    buffer = io.BytesIO()
    Image.effect_mandelbrot((64, 48), (-2, -1, 1, 1), 30).convert("RGB").save(buffer, kind)
    plain = buffer.getvalue()
    assert not signed(plain)
    data = sign(plain, media_type)
    assert signed(data)
    done = marked(data, PACKET)
    assert done.data == data
    assert done.beside is not None
    assert "C2PA" in done.beside
    # Marked first and signed afterwards is the order that keeps both.
    assert signed(sign(marked(plain, PACKET).data, media_type))


def test_xmp_that_is_there_stays_as_it_is(picture: bytes) -> None:
    """A packet of somebody else's is neither replaced nor doubled."""
    once = marked(picture, PACKET).data
    again = marked(once, packet(Origin("other", "p", "s", "m", "t")))
    assert again.data == once
    assert again.beside == "it carries XMP of its own already"


@pytest.mark.parametrize("length", [ROOM - 1, ROOM, ROOM + 1])
def test_a_jpeg_takes_what_its_segments_hold(length: int) -> None:
    """Up to the last byte, and not one more."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG")
    done = marked(buffer.getvalue(), b"x" * length)
    assert (done.beside is None) == (length <= ROOM)
    assert done.beside is None or done.data == buffer.getvalue()


@pytest.mark.parametrize("kind", ["GIF", "BMP", "AVIF"])
def test_other_formats_stay_as_they_are(kind: str) -> None:
    """What we cannot write safely gets its packet beside it."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, kind)
    done = marked(buffer.getvalue(), PACKET)
    assert done.data == buffer.getvalue()
    assert done.beside


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_never_written_to(pictures: Mapping[str, bytes], data: st.DataObject) -> None:
    """Cut or flipped bytes: the file comes back as it was with a reason, or marked with all the rest untouched."""
    whole = pictures[data.draw(st.sampled_from(sorted(pictures)))]
    torn = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for place in data.draw(st.lists(st.integers(0, max(0, len(torn) - 1)), max_size=3)):
        if torn:
            torn[place] ^= data.draw(st.integers(1, 255))
    damaged = bytes(torn)
    done = marked(damaged, PACKET)
    if done.beside is not None:
        assert done.data == damaged
        return
    container = container_of(damaged)
    assert container is not None
    assert container.rest(done.data) == container.rest(damaged)


@given(st.text())
def test_every_prompt_survives_as_xml(prompt: str) -> None:
    """Whatever a prompt holds, the packet is well formed and bears its id."""
    import xml.etree.ElementTree as ET

    made = packet(Origin("an-id", prompt, "s", "m", "t"))
    root = ET.fromstring(made.decode().strip("\ufeff"))  # noqa: S314  made a line above
    [text] = [one.text or "" for one in root.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li")]
    kept = "".join("\ufffd" if (ord(c) < 32 and c not in "\t\n\r") or c in "\ufffe\uffff" else c for c in prompt)
    assert text == kept


def test_what_unpacks_without_bound_is_not_read() -> None:
    """A small chunk can hold a packet of gigabytes: only so much of it is looked at."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    data = buffer.getvalue()
    payload = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b" " * 50_000_000 + PACKET)
    checked = b"iTXt" + payload
    chunk = len(payload).to_bytes(4, "big") + checked + zlib.crc32(checked).to_bytes(4, "big")
    assert claimed_id(data[:33] + chunk + data[33:]) is None
    small = b"iTXt" + b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(PACKET)
    chunk = (len(small) - 4).to_bytes(4, "big") + small + zlib.crc32(small).to_bytes(4, "big")
    assert claimed_id(data[:33] + chunk + data[33:]) == "0199-0"


def test_a_packet_with_entities_is_not_read() -> None:
    """Entities can be made to grow without bound: such a packet is nobody's."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + PACKET
    assert claimed_id(marked(buffer.getvalue(), bomb).data) is None
