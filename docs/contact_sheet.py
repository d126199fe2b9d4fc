"""A contact sheet of a campaign: every picture that is kept, in rows of one height. An example of the library.

python docs/contact_sheet.py PROJECT CAMPAIGN SHEET.webp
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageOps

from flows.history import current
from flows.workspace import open_workspace

WIDTH, HEIGHT, GAP, GROUND = 1600, 200, 10, "#FFFFFF"


def rows(ratios: list[float]) -> list[list[int]]:
    """Which pictures share a row: as many as fill its width at about the usual height."""
    found: list[list[int]] = [[]]
    for number, ratio in enumerate(ratios):
        filled = sum(ratios[other] for other in found[-1]) * HEIGHT
        if found[-1] and filled + ratio * HEIGHT / 2 > WIDTH:
            found.append([])
        found[-1].append(number)
    return found


def sheet(pictures: list[Path]) -> Image.Image:
    """The pictures in their order; every row but the last is as wide as the sheet."""
    shapes = []
    for path in pictures:
        with Image.open(path) as picture:
            shapes.append(picture.width / picture.height)
    strips = []
    for row in rows(shapes):
        height = round((WIDTH - GAP * (len(row) + 1)) / sum(shapes[number] for number in row))
        height = min(height, round(HEIGHT * 1.35))
        strip = Image.new("RGB", (WIDTH, height), GROUND)
        left = GAP
        for number in row:
            with Image.open(pictures[number]) as picture:
                small = ImageOps.fit(picture.convert("RGB"), (round(shapes[number] * height), height))
            strip.paste(small, (left, 0))
            left += small.width + GAP
        strips.append(strip)
    whole = Image.new("RGB", (WIDTH, sum(strip.height + GAP for strip in strips) + GAP), GROUND)
    top = GAP
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height + GAP
    return whole


def main(project: str, campaign: str, out: str) -> None:
    """Write the sheet of what is kept of a campaign."""
    found = current(project, campaign=campaign, columns=["variant", "local_path", "state"])
    kept = found[found.state == "kept"].sort_values("variant", kind="stable")
    # Where the pictures lie is a setting of the project; here a folder of this machine.
    folder = Path(open_workspace(Path(project)).assets.url)
    sheet([folder / path for path in kept.local_path]).save(out, quality=80, method=6)


if __name__ == "__main__":
    main(*sys.argv[1:])
