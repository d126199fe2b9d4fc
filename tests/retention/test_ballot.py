"""Decisions as files: YAML and CSV say the same, and everything wrong with them is told at once."""

from __future__ import annotations

import pytest

from flows.errors import InvalidInput
from flows.retention.ballot import Ballot, Verdict, read_ballots

YAML = """\
version: 1
decisions:
  - {image: 01a20612-028d, verdict: approve, sha256: "12345678", by: ann, reason: the right hue}
  - {image: 01a20612-02b5, verdict: reject, replace: true}
  - {finding: "0123456789abcdef", verdict: accept, reason: meant so}
"""
CSV = """\
image,finding,verdict,sha256,by,reason,replace
01a20612-028d,,approve,12345678,ann,the right hue,
01a20612-02b5,,Reject,,,,yes
,0123456789abcdef,accept,,,meant so,no
"""


def bare(found: list[Ballot]) -> list[tuple[object, ...]]:
    return [(one.verdict, one.name, one.reason, one.sha256, one.by, one.replace) for one in found]


def test_both_kinds_of_file_say_the_same() -> None:
    """Whatever a review is kept in."""
    expected = [
        (Verdict.APPROVE, "01a20612-028d", "the right hue", "12345678", "ann", False),
        (Verdict.REJECT, "01a20612-02b5", "", "", "", True),
        (Verdict.ACCEPT, "0123456789abcdef", "meant so", "", "", False),
    ]
    assert bare(read_ballots(YAML.encode(), "d.yaml")) == expected
    assert bare(read_ballots(CSV.encode("utf-8-sig"), "d.csv")) == expected


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("d.yaml", "version: 1\ndecisions: []", "d.yaml:2:12: decisions: must not be empty"),
        ("d.yaml", "version: 1\ndecisions: [{image: 0123abcd, verdict: aprove}]", "Did you mean `approve`?"),
        ("d.yaml", "version: 1\ndecisions: [{verdict: approve}]", "approve is about one image"),
        ("d.yaml", "version: 1\ndecisions: [{image: 0123abcd, verdict: accept}]", "accept is about one finding"),
        (
            "d.yaml",
            "version: 1\ndecisions: [{image: 0123abcd, verdict: hold, replace: true}]",
            "goes with reject alone",
        ),
        ("d.yaml", "version: 1\ndecisions: [{image: hero, verdict: hold}]", "decisions[0].image: is no id"),
        ("d.csv", "", "needs the columns image (or finding) and verdict"),
        ("d.csv", "image,verdict\n", "holds no decisions"),
        ("d.csv", "image,verdct\n0123abcd,hold\n", "unknown column `verdct`\n    Did you mean `verdict`?"),
        ("d.csv", "image,verdict,image\na,b,c\n", "names a column twice"),
        ("d.csv", "image,verdict\n0123abcd,holt\n", 'd.csv:2:1: verdict: "holt" is no verdict'),
        ("d.csv", "image,verdict\n0123abcd\n", "d.csv:2:1: has not as many cells"),
        ("d.csv", "image,verdict\nhero,hold\n", '"hero" is no id'),
        ("d.csv", "image,verdict,sha256\n0123abcd,hold,12\n", "sha256: is no digest"),
        ("d.csv", "image,verdict,replace\n0123abcd,reject,maybe\n", "is neither true nor false"),
        ("d.csv", b"image,verdict\n\xff,hold\n", "is no CSV in UTF-8"),
    ],
)
def test_a_mistake_is_told_with_its_place(file: str, text: str | bytes, said: str) -> None:
    """A slip in a review changes nothing."""
    with pytest.raises(InvalidInput) as refusal:
        read_ballots(text.encode() if isinstance(text, str) else text, file)
    assert any(said in str(problem) for problem in refusal.value.problems), str(refusal.value)


def test_all_mistakes_of_a_table_are_told_at_once() -> None:
    """With their lines."""
    with pytest.raises(InvalidInput) as refusal:
        read_ballots(b"image,verdict\nhero,hold\n0123abcd,x\n", "d.csv")
    assert [problem.line for problem in refusal.value.problems] == [2, 3]
