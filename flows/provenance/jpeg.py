"""JPEG (ISO/IEC 10918): segments up to the scan. XMP is an APP1 of Adobe's, C2PA is JUMBF in APP11."""

from __future__ import annotations

from flows.provenance.container import Container, Piece, TooLarge, Unreadable

SIGNATURE = b"\xff\xd8"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_EXIF = b"Exif\0"
_APP0, _APP1, _APP11, _SOS, _EOI = 0xE0, 0xE1, 0xEB, 0xDA, 0xD9
# A segment's length counts itself: two bytes of at most 65,535.
ROOM = 65_535 - 2 - len(_XMP)


class Jpeg(Container):
    """Everything from the first scan on is one piece: it is the picture, and nobody here looks into it."""

    name = "JPEG"

    def pieces(self, data: bytes) -> tuple[Piece, ...]:
        if not data.startswith(SIGNATURE):
            raise Unreadable("it does not begin as a JPEG does")
        found: list[Piece] = []
        at = len(SIGNATURE)
        while True:
            start = at
            if data[at : at + 1] != b"\xff":
                raise Unreadable("a segment does not begin with a marker")
            while data[at : at + 1] == b"\xff":  # any number of fill bytes may stand before a marker
                at += 1
            if at >= len(data):
                raise Unreadable("it ends before its picture")
            marker = data[at]
            if marker == _SOS:
                found.append(Piece("SOS", data[start:], data[start:]))
                return tuple(found)
            length = int.from_bytes(data[at + 1 : at + 3], "big")
            end = at + 1 + length
            if marker in (0x00, 0x01, _EOI) or 0xD0 <= marker <= 0xD8 or length < 2 or end > len(data):
                raise Unreadable("its segments do not lead to a picture")
            found.append(Piece(f"{marker:02X}", data[at + 3 : end], data[start:end]))
            at = end

    def is_xmp(self, piece: Piece) -> bool:
        return piece.kind == f"{_APP1:02X}" and piece.payload.startswith((_XMP, _EXTENDED))

    def is_signed(self, piece: Piece) -> bool:
        # Every box format of APP11 begins so: C2PA's, and its relatives which bind bytes just as well.
        return piece.kind == f"{_APP11:02X}" and piece.payload.startswith(b"JP")

    def packet(self, piece: Piece) -> bytes:
        return piece.payload.removeprefix(_XMP)

    def with_packet(self, data: bytes, packet: bytes) -> bytes:
        if len(packet) > ROOM:
            raise TooLarge(f"{len(packet):,} bytes of XMP do not fit into a JPEG, which takes {ROOM:,}")
        at = len(SIGNATURE)
        for piece in self.pieces(data):
            # JFIF and Exif both want to be first; the packet comes right behind them.
            exif = piece.kind == f"{_APP1:02X}" and piece.payload.startswith(_EXIF)
            if piece.kind != f"{_APP0:02X}" and not exif:
                break
            at += len(piece.raw)
        payload = _XMP + packet
        segment = bytes((0xFF, _APP1)) + (len(payload) + 2).to_bytes(2, "big") + payload
        return data[:at] + segment + data[at:]

    def bookkeeping(self, piece: Piece) -> bool:  # noqa: ARG002  a JPEG keeps no list of its segments
        return False
