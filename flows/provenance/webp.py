"""WebP (RFC 9649): a RIFF file. XMP is the chunk ``XMP``, C2PA is ``C2PA``; ``VP8X`` says what else there is.

A simple WebP has nothing but its picture and gets a ``VP8X`` of its own, whose size and transparency are read
from the head of the picture's bit stream.
"""

from __future__ import annotations

from flows.provenance.container import Container, Piece, TooLarge, Unreadable

_LARGEST = 2**32 - 2
_XMP_FLAG, _ALPHA_FLAG = 0x04, 0x10


class Webp(Container):
    """See the module."""

    name = "WebP"

    def pieces(self, data: bytes) -> tuple[Piece, ...]:
        if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
            raise Unreadable("it does not begin as a WebP does")
        if int.from_bytes(data[4:8], "little") + 8 != len(data):
            raise Unreadable("it is not as long as it says")
        found: list[Piece] = []
        at = 12
        while at < len(data):
            length = int.from_bytes(data[at + 4 : at + 8], "little")
            end = at + 8 + length + length % 2
            if end > len(data):
                raise Unreadable("its last chunk is cut off")
            found.append(Piece(data[at : at + 4].decode("latin-1"), data[at + 8 : at + 8 + length], data[at:end]))
            at = end
        if not found or found[0].kind not in ("VP8 ", "VP8L", "VP8X"):
            raise Unreadable("it does not begin with a picture or a list of its chunks")
        return tuple(found)

    def is_xmp(self, piece: Piece) -> bool:
        return piece.kind == "XMP "

    def is_signed(self, piece: Piece) -> bool:
        return piece.kind == "C2PA"

    def packet(self, piece: Piece) -> bytes:
        return piece.payload

    def with_packet(self, data: bytes, packet: bytes) -> bytes:
        pieces = self.pieces(data)
        first = pieces[0]
        if first.kind == "VP8X":
            if len(first.payload) != 10:
                raise Unreadable("its list of chunks has a length that no version knows")
            head = _chunk(b"VP8X", bytes((first.payload[0] | _XMP_FLAG,)) + first.payload[1:])
            rest = pieces[1:]
        else:
            head, rest = _chunk(b"VP8X", _described(first)), pieces
        body = b"WEBP" + head + b"".join(piece.raw for piece in rest) + _chunk(b"XMP ", packet)
        if len(body) > _LARGEST:
            raise TooLarge(f"{len(packet)} bytes of XMP do not fit into this WebP")
        return b"RIFF" + len(body).to_bytes(4, "little") + body

    def bookkeeping(self, piece: Piece) -> bool:
        return piece.kind == "VP8X"


def _described(picture: Piece) -> bytes:
    """The payload of the VP8X chunk that a simple WebP does without."""
    width, height, alpha = _lossless(picture.payload) if picture.kind == "VP8L" else _lossy(picture.payload)
    flags = _XMP_FLAG | (_ALPHA_FLAG if alpha else 0)
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes((flags, 0, 0, 0)) + sides


def _lossy(stream: bytes) -> tuple[int, int, bool]:
    """Width, height and no transparency, from the head of a VP8 key frame (RFC 6386, section 9.1)."""
    if len(stream) < 10 or stream[0] & 1 or stream[3:6] != b"\x9d\x01\x2a":
        raise Unreadable("its picture does not begin with a key frame")
    width, height = (int.from_bytes(stream[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    if not width or not height:
        raise Unreadable("its picture has no size")
    return width, height, False


def _lossless(stream: bytes) -> tuple[int, int, bool]:
    """Width, height and whether there may be transparency, from the head of a VP8L stream (RFC 9649, 3.4)."""
    if len(stream) < 5 or stream[0] != 0x2F:
        raise Unreadable("its picture does not begin as a lossless one does")
    bits = int.from_bytes(stream[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + len(payload).to_bytes(4, "little") + payload + b"\0" * (len(payload) % 2)
