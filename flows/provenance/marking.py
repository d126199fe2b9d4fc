"""Marking a picture: put a packet into its container, or say why it has to stand beside it.

The pixels cannot change, because nothing that they are made of is touched; that is checked, not hoped.
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.provenance.container import Container, TooLarge, Unreadable
from flows.provenance.jpeg import Jpeg
from flows.provenance.packet import image_id_in
from flows.provenance.png import Png
from flows.provenance.webp import Webp

_PNG, _JPEG, _WEBP = Png(), Jpeg(), Webp()


@dataclass(frozen=True)
class Marked:
    """The file to hand out. `beside` says why the packet is not in it and belongs into a file of its own."""

    data: bytes
    beside: str | None = None


def container_of(data: bytes) -> Container | None:
    """The container that the first bytes announce, or None."""
    if data.startswith(b"\x89PNG"):
        return _PNG
    if data.startswith(b"\xff\xd8\xff"):
        return _JPEG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _WEBP
    return None


def signed(data: bytes) -> bool:
    """Whether there is a C2PA manifest inside. Raises Unreadable for a file that is damaged."""
    container = container_of(data)
    return container is not None and any(container.is_signed(piece) for piece in container.pieces(data))


def marked(data: bytes, packet: bytes) -> Marked:
    """The picture with the packet inside, every other byte as it was; or the very same bytes and the reason."""
    container = container_of(data)
    if container is None:
        return Marked(data, "this format has no agreed place for XMP that we write")
    try:
        pieces = container.pieces(data)
        if any(container.is_signed(piece) for piece in pieces):
            return Marked(data, "it carries a C2PA manifest, which any change would break")
        if any(container.is_xmp(piece) for piece in pieces):
            return Marked(data, "it carries XMP of its own already")
        made = container.with_packet(data, packet)
        proven = container.rest(made) == container.rest(data)
        present = [container.packet(piece) for piece in container.pieces(made) if container.is_xmp(piece)]
    except TooLarge as trouble:
        return Marked(data, str(trouble))
    except Unreadable as trouble:
        return Marked(data, f"its {container.name} cannot be taken apart safely: {trouble}")
    if not proven or present != [packet]:
        return Marked(data, f"adding to this {container.name} could not be proven to leave the rest alone")
    return Marked(made)


def claimed_id(data: bytes) -> str | None:
    """The image id that a marked picture bears; None where there is none, or the file cannot be read."""
    container = container_of(data)
    if container is None:
        return None
    try:
        packets = [container.packet(piece) for piece in container.pieces(data) if container.is_xmp(piece)]
    except Unreadable:
        return None
    return next((found for found in map(image_id_in, packets) if found), None)
