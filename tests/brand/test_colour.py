"""Colour differences: right by the published pairs, and symmetric like a distance."""

from __future__ import annotations

import numpy as np
import pytest

from flows.brand.colour import chroma, differences, hex_of, lab_of, labs

# Sharma, Wu and Dalal (2005), table 1: L1 a1 b1, L2 a2 b2, and their CIEDE2000 difference.
PAIRS = """
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""
ROWS = [[float(number) for number in line.split()] for line in PAIRS.strip().splitlines()]


def test_there_are_34_published_pairs() -> None:
    """None got lost on the way here."""
    assert len(ROWS) == 34
    assert all(len(row) == 7 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[6]}")
def test_the_difference_is_the_published_one(row: list[float]) -> None:
    """To 1e-4, which is all that was published, and either way round."""
    one, other = np.array([row[:3]]), np.array([row[3:6]])
    assert differences(one, other)[0, 0] == pytest.approx(row[6], abs=1e-4)
    assert differences(other, one)[0, 0] == pytest.approx(row[6], abs=1e-4)


def test_differences_are_a_table_of_all_with_all() -> None:
    """(n, m), nought where the colours are the same, nothing where there is nothing to compare."""
    table = differences(labs(["#FF0000", "#00FF00"]), labs(["#FF0000", "#00FF00", "#0000FF"]))
    assert table.shape == (2, 3)
    assert table[0, 0] == table[1, 1] == 0
    assert (table[0, 1:] > 50).all()
    assert differences(labs([]), labs(["#000000"])).shape == (0, 1)


@pytest.mark.parametrize("code", ["#000000", "#FFFFFF", "#F5A623", "#2A7F9E", "#010203"])
def test_a_code_comes_back_from_lab(code: str) -> None:
    """There and back again."""
    assert hex_of(lab_of(code)) == code


def test_white_is_white_and_grey_has_no_chroma() -> None:
    """By D65, as sRGB has it."""
    assert lab_of("#FFFFFF")[0] == pytest.approx(100, abs=0.01)
    assert chroma(labs(["#FFFFFF", "#808080", "#000000"])).max() < 0.01
    assert chroma(labs(["#FF0000"]))[0] > 100


def test_a_colour_that_no_screen_shows_is_clipped_in_silence() -> None:
    """The mean of some pictures' colours can lie outside sRGB; that is nobody's mistake, and no warning."""
    assert hex_of((20.0, 10.0, 110.0)).startswith("#")
