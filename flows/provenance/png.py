"""PNG (ISO/IEC 15948): chunks with checksums. XMP is an ``iTXt`` chunk of a fixed keyword, C2PA is ``caBX``."""

from __future__ import annotations

import zlib

from flows.provenance.container import LARGEST_PACKET, Container, Piece, TooLarge, Unreadable

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"XML:com.adobe.xmp\0"
# Not compressed, no language, no translated keyword: tools that look for a packet by its text find it.
_HEADER = _KEYWORD + b"\0\0\0\0"
_LARGEST = 2**31 - 1


class Png(Container):
    """See the module."""

    name = "PNG"

    def pieces(self, data: bytes) -> tuple[Piece, ...]:
        if not data.startswith(SIGNATURE):
            raise Unreadable("it does not begin as a PNG does")
        found: list[Piece] = []
        at = len(SIGNATURE)
        while at < len(data):
            length = int.from_bytes(data[at : at + 4], "big")
            end = at + 12 + length
            if end > len(data):
                raise Unreadable("its last chunk is cut off")
            kind, payload = data[at + 4 : at + 8], data[at + 8 : end - 4]
            if zlib.crc32(kind + payload) != int.from_bytes(data[end - 4 : end], "big"):
                raise Unreadable(f"the checksum of {kind.decode('latin-1')} is wrong")
            found.append(Piece(kind.decode("latin-1"), payload, data[at:end]))
            at = end
        if not found or found[0].kind != "IHDR" or found[-1].kind != "IEND":
            raise Unreadable("it does not go from IHDR to IEND")
        return tuple(found)

    def is_xmp(self, piece: Piece) -> bool:
        return piece.kind in ("iTXt", "zTXt", "tEXt") and piece.payload.startswith(_KEYWORD)

    def is_signed(self, piece: Piece) -> bool:
        return piece.kind == "caBX"

    def packet(self, piece: Piece) -> bytes:
        if piece.kind != "iTXt":
            raise Unreadable("its XMP is in a chunk that no standard knows")
        compressed, tail = piece.payload[len(_KEYWORD) : len(_KEYWORD) + 1], piece.payload[len(_KEYWORD) + 2 :]
        text = tail.split(b"\0", 2)[-1]  # behind the language and the keyword's translation
        try:
            # A packet is some kilobytes; what unpacks to more is no packet.
            return zlib.decompressobj().decompress(text, LARGEST_PACKET) if compressed == b"\1" else text
        except zlib.error as error:
            raise Unreadable("its XMP cannot be decompressed") from error

    def with_packet(self, data: bytes, packet: bytes) -> bytes:
        head = self.pieces(data)[0]
        payload = _HEADER + packet
        if len(payload) > _LARGEST:
            raise TooLarge(f"{len(packet)} bytes of XMP do not fit into a PNG")
        # Behind the header: readers that stop at the first IDAT see it too.
        at = len(SIGNATURE) + len(head.raw)
        return data[:at] + _chunk(b"iTXt", payload) + data[at:]

    def bookkeeping(self, piece: Piece) -> bool:  # noqa: ARG002  a PNG keeps no list of its chunks
        return False


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + kind + payload + zlib.crc32(kind + payload).to_bytes(4, "big")
