"""An audit as JUnit XML, which build servers show: a suite for each check, a case for each finding. Pure.

What fails the gate is a failure; other findings pass and are told in the case's output; a check that did not look is
skipped; one that found nothing is a case that passes.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from flows.checks.finding import Finding, Ran, Skipped, Verdict
from flows.report.audit.model import Audit

# What XML 1.0 cannot hold at all, not even escaped.
_UNSPEAKABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(audit: Audit) -> bytes:
    """The XML, UTF-8."""
    root = Element("testsuites", name="ideoflow audit")
    for verdict in audit.verdicts:
        _suite(root, verdict, audit)
    for key in ("tests", "failures", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    root.set("errors", "0")
    indent(root)
    body: bytes = tostring(root, encoding="unicode").encode()
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body + b"\n"


def _suite(root: Element, verdict: Verdict, audit: Audit) -> None:
    suite = SubElement(root, "testsuite", name=verdict.check, timestamp=f"{audit.at:%Y-%m-%dT%H:%M:%S}", errors="0")
    failures = 0
    if isinstance(verdict, Skipped):
        case = SubElement(suite, "testcase", classname=verdict.check, name=verdict.check)
        SubElement(case, "skipped", message=_text(verdict.reason))
    else:
        failures = _cases(suite, verdict, audit)
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(failures))
    suite.set("skipped", str(int(isinstance(verdict, Skipped))))


def _cases(suite: Element, verdict: Ran, audit: Audit) -> int:
    found = [one for one in verdict.findings if one.finding_id not in audit.accepted]
    if not found:
        looked = f"{verdict.subjects:,} looked at, nothing found"
        SubElement(suite, "testcase", classname=verdict.check, name=looked)
    failures = 0
    for finding in found:
        name = f"{finding.variant or finding.prompt_id or finding.subject} ({finding.finding_id})"
        case = SubElement(suite, "testcase", classname=finding.code, name=_text(name))
        if finding.finding_id in audit.failing:
            failures += 1
            failure = SubElement(case, "failure", message=_text(finding.message), type=finding.severity.word)
            failure.text = _text(_told(finding))
        else:
            SubElement(case, "system-out").text = _text(f"{finding.severity.word}: {_told(finding)}")
    return failures


def _told(finding: Finding) -> str:
    lines = [finding.message, finding.remedy, f"about {finding.subject}"]
    if finding.measure is not None and finding.threshold is not None:
        lines.append(f"measured {finding.measure:g}, threshold {finding.threshold:g} {finding.unit}".rstrip())
    return "\n".join(line for line in lines if line)


def _text(text: str) -> str:
    return _UNSPEAKABLE.sub("\ufffd", text)
