"""What the three containers have in common: how a file is taken apart, and what may be done to it. Pure.

A container never decodes a picture. It cuts the bytes into pieces that add up to the file again, and adds one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

LARGEST_PACKET = 1 << 20
"""More than any packet that is read here: files found in the wild may hold anything."""


class Unreadable(ValueError):
    """The bytes are not laid out the way their format says: nothing is added to such a file."""


class TooLarge(ValueError):
    """The packet does not fit into one piece of this format."""


@dataclass(frozen=True)
class Piece:
    """One chunk or segment: its kind as the format names it, what it holds, and its very bytes in the file."""

    kind: str
    payload: bytes
    raw: bytes


class Container(ABC):
    """One format. Every method takes whole files and raises Unreadable for one that is damaged."""

    name: str

    @abstractmethod
    def pieces(self, data: bytes) -> tuple[Piece, ...]:
        """The file, cut up: the `raw` of all pieces, one after the other, is the file behind its signature."""

    @abstractmethod
    def is_xmp(self, piece: Piece) -> bool:
        """Whether this piece is an XMP packet."""

    @abstractmethod
    def is_signed(self, piece: Piece) -> bool:
        """Whether this piece holds a C2PA manifest (or one of its relatives), which is bound to the file's bytes."""

    @abstractmethod
    def packet(self, piece: Piece) -> bytes:
        """The XMP in a piece for which `is_xmp` holds."""

    @abstractmethod
    def with_packet(self, data: bytes, packet: bytes) -> bytes:
        """The file with one more piece, and every other piece as it was. TooLarge where the packet does not fit."""

    @abstractmethod
    def bookkeeping(self, piece: Piece) -> bool:
        """Whether a piece only says which other pieces there are, so that adding one may change it."""

    def rest(self, data: bytes) -> tuple[bytes, ...]:
        """Everything that adding a packet must leave as it is, and so every byte that decides about pixels."""
        kept = (piece for piece in self.pieces(data) if not self.is_xmp(piece) and not self.bookkeeping(piece))
        return tuple(piece.raw for piece in kept)
