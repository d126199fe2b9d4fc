"""What an XMP packet of ours says: made by a trained model, with which prompt, by which tool, under which id. Pure.

The vocabulary is the IPTC's (Photo Metadata Standard, digital source type) and Dublin Core, which picture
archives, search engines and editing programs read.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime

from flows.provenance.container import LARGEST_PACKET

TRAINED_ALGORITHMIC_MEDIA = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
PACKET_VERSION = 1
"""Raise it when a packet would come out differently for the same picture: exported copies are then made anew."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC = "http://purl.org/dc/elements/1.1/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_ID_PREFIX = "ideoflow:"
# What XML 1.0 cannot hold, however it is written.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Origin:
    """How a picture came to be.

    `system` is who drew it, `model` with what, `tool` asked for it; `prompt` is what was asked, `final_prompt` what
    the vendor says was drawn.
    """

    image_id: str
    prompt: str
    system: str
    model: str
    tool: str
    final_prompt: str | None = None
    generated_at: datetime | None = None


def packet(origin: Origin) -> bytes:
    """The packet, in UTF-8, as it stands in a file of its own or inside a picture."""
    drawn = origin.final_prompt or origin.prompt
    described = f'<rdf:Alt><rdf:li xml:lang="x-default">{_text(origin.prompt)}</rdf:li></rdf:Alt>'
    lines = [
        f"<Iptc4xmpExt:DigitalSourceType>{TRAINED_ALGORITHMIC_MEDIA}</Iptc4xmpExt:DigitalSourceType>",
        f"<Iptc4xmpExt:AISystemUsed>{_text(origin.system)}</Iptc4xmpExt:AISystemUsed>",
        f"<Iptc4xmpExt:AISystemVersionUsed>{_text(origin.model)}</Iptc4xmpExt:AISystemVersionUsed>",
        f"<Iptc4xmpExt:AIPromptInformation>{_text(drawn)}</Iptc4xmpExt:AIPromptInformation>",
        f"<xmp:CreatorTool>{_text(origin.tool)}</xmp:CreatorTool>",
        *([f"<xmp:CreateDate>{_time(origin.generated_at)}</xmp:CreateDate>"] if origin.generated_at else []),
        f"<dc:identifier>{_ID_PREFIX}{_text(origin.image_id)}</dc:identifier>",
        f"<dc:description>{described}</dc:description>",
    ]
    return "\n".join(
        [
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
            f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">',
            f'<rdf:Description rdf:about="" xmlns:dc="{_DC}" xmlns:xmp="{_XMP}" xmlns:Iptc4xmpExt="{_IPTC}">',
            *lines,
            "</rdf:Description></rdf:RDF></x:xmpmeta>",
            '<?xpacket end="r"?>',
        ]
    ).encode()


def image_id_in(xmp: bytes) -> str | None:
    """The image id in a packet of ours; None in any other. A claim, no proof: anybody can write a packet."""
    # Entities could be made to grow without bound, and no packet of ours has any declared.
    if b"<!" in xmp or len(xmp) > LARGEST_PACKET:
        return None
    try:
        root = ET.fromstring(xmp.decode().strip("\ufeff \0\r\n\t"))  # noqa: S314  see above
    except (ET.ParseError, UnicodeDecodeError):
        return None
    for found in root.iter(f"{{{_DC}}}identifier"):
        if found.text and found.text.startswith(_ID_PREFIX):
            return found.text.removeprefix(_ID_PREFIX)
    return None


def _text(value: str) -> str:
    written = _UNWRITABLE.sub("\ufffd", value)
    written = written.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return written.replace("\r", "&#13;")  # a parser would turn a bare one into a line feed


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
