"""A policy as an English paragraph: what a person reads before they let it delete. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from flows.report import words
from flows.retention.amounts import in_words
from flows.retention.policy import KeepClass, Match, Policy

_WHOSE = {
    "brand": "of the brand {}",
    "campaign": "of the campaign {}",
    "tag": "tagged {}",
    "model": "made with {}",
    "prompt": "of the prompt {}",
    "origin": "bought from {}",
}


def paragraph(policy: Policy) -> str:
    """All that the policy does, in sentences."""
    if not policy.classes:
        return "The policy has no classes, so that everything is kept."
    sentences = [_class(one, first=index == 0) for index, one in enumerate(policy.classes)]
    if not any(one.everything for one in policy.classes):
        sentences.append("Every other picture is kept.")
    sentences += [
        "Whatever a rule says, these stay: pictures on hold, approved ones, those dated in the future, "
        "sources of a kept picture" + _newest(policy) + ".",
        _going(policy),
        f"A run that would trash more than {policy.max_fraction:.0%} of a brand is refused.",
    ]
    if not policy.enabled:
        sentences.insert(0, "The policy is switched off (enabled: false). Were it on:")
    return " ".join(sentences)


def _going(policy: Policy) -> str:
    if not policy.grace:
        return "What goes is trashed, and deleted by the next run; its record stays."
    grace = in_words(policy.grace)
    return f"What goes is trashed first and can be restored for {grace}; then its file is deleted, its record stays."


def _newest(policy: Policy) -> str:
    empty = [one.name for one in policy.classes if one.allow_empty]
    besides = f" (not in {listed(empty, 'or')})" if empty else ""
    return f", and the newest picture of every prompt{besides}"


def _class(one: KeepClass, *, first: bool) -> str:
    if one.everything:
        whose = "All pictures" if first else "All other pictures"
    elif one.matches:
        whose = "Pictures " + listed([_match(match) for match in one.matches], "or")
    else:
        whose = f"Pictures whose prompt says `retention: {one.name}`"
    if one.forever:
        return f"{whose} are kept for ever ({one.name})."
    return f"{whose} are kept while they are {listed(keeps(one), 'or')} ({one.name})."


def _match(match: Match) -> str:
    return " and ".join(_WHOSE[key].format(listed(list(patterns), "or")) for key, patterns in match.given)


def keeps(one: KeepClass) -> list[str]:
    """What each rule of a class keeps, after "kept while they are"."""
    found = []
    if one.keep_within is not None:
        found.append(f"younger than {in_words(one.keep_within)}")
    if one.keep_last:
        last = "the last" if one.keep_last == 1 else f"among the last {one.keep_last:,}"
        found.append(f"{last} of their variant")
    for number, period in ((one.keep_daily, "day"), (one.keep_weekly, "week"), (one.keep_monthly, "month")):
        if number:
            many = f"each of the last {number:,} {period}s" if number > 1 else f"the last {period}"
            found.append(f"the newest of {many} that has any of their variant")
    if one.max_total:
        found.append(f"within the newest {words.size(one.max_total)} of the class")
    if one.max_images:
        found.append(f"among the newest {words.count(one.max_images, 'picture')} of the class")
    return found


def listed(parts: Sequence[str], word: str) -> str:
    """``a, b or c``."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"
