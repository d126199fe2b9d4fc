"""Links: printed without what makes them work, and never outliving what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ideogram.links import is_loopback, link_expiry, redact, redact_text
from flows.ideogram.retries import parse_http_date, parse_retry_after

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SECRET = "5ec2e7c0ffee"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            f"https://ideogram.ai/api/images/ephemeral/a.png?exp=1800000000&sig={SECRET}",
            "https://ideogram.ai/api/images/ephemeral/a.png?exp=1800000000&sig=***",
        ),
        (f"https://h/a?sig={SECRET}", "https://h/a?sig=***"),
        (f"https://h/a?token={SECRET}&sig=", "https://h/a?token=***&sig=***"),
        (f"https://h/a?exp={SECRET}", "https://h/a?exp=***"),
        (f"https://user:{SECRET}@h:8443/a#{SECRET}", "https://h:8443/a"),
        ("https://h/a", "https://h/a"),
        ("https://[", "<unreadable URL>"),
        ("", ""),
        ("nonsense", "nonsense"),
    ],
)
def test_a_redacted_link_shows_where_and_until_when_only(url: str, shown: str) -> None:
    """Host, path and expiry stay; signatures, unknown values, user names and fragments go."""
    assert redact(url) == shown


@given(
    st.sampled_from(["sig", "Signature", "token", "X-Amz-Signature", "key", "a b", ""]),
    st.text("0123456789abcdef", min_size=8, max_size=64),
    st.sampled_from(["{}", "?{}", "&{}&", "?exp=1&{}&x=1", "?x&{};y", "?%65xp=2&{}"]),
)
def test_no_query_value_survives(key: str, value: str, shape: str) -> None:
    """Whatever the parameter is called and wherever it stands."""
    url = "https://ideogram.ai/p/image.png?" + shape.format(f"{quote(key)}=S{value}")
    assert f"S{value}" not in redact(url)
    assert f"S{value}" not in redact_text(f"GET {url} failed ('{url}')")


@given(st.text())
def test_redacting_never_fails(text: str) -> None:
    """Not for any text at all."""
    redact(text)
    redact_text(text)


def test_text_is_redacted_in_place() -> None:
    """Absolute links, and relative ones by their signature; the words around stay."""
    text = f"got 'https://h/a?exp=1&sig={SECRET}' and (b'Location', b'/b?exp=2&sig={SECRET}') today"
    assert redact_text(text) == "got 'https://h/a?exp=1&sig=***' and (b'Location', b'/b?exp=2&sig=***') today"


@pytest.mark.parametrize(
    ("url", "expiry"),
    [
        ("https://h/a?exp=1800000000&sig=x", datetime.fromtimestamp(1_800_000_000, UTC)),
        ("https://h/a?exp=0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("https://h/a", NOW + timedelta(hours=24)),
        ("https://h/a?exp=", NOW + timedelta(hours=24)),
        ("https://h/a?exp=soon", NOW + timedelta(hours=24)),
        ("https://h/a?exp=-5", NOW + timedelta(hours=24)),
        ("https://h/a?exp=1e9", NOW + timedelta(hours=24)),
        ("https://h/a?exp=1800000000000", NOW + timedelta(hours=24)),
        ("https://h/a?exp=999999999999", NOW + timedelta(hours=24)),
        ("https://h/a?exp=" + "9" * 5000, NOW + timedelta(hours=24)),
        ("https://h/a?exp=١٨٠٠٠٠٠٠٠٠", NOW + timedelta(hours=24)),
        ("https://[", NOW + timedelta(hours=24)),
        ("", NOW + timedelta(hours=24)),
    ],
)
def test_a_link_lives_as_long_as_it_says_or_a_day(url: str, expiry: datetime) -> None:
    """`exp` in epoch seconds; without a readable one, the documented lifetime."""
    assert link_expiry(url, NOW) == expiry


@given(st.text())
def test_an_expiry_is_always_found(text: str) -> None:
    """In UTC, for any text."""
    for url in (text, f"https://h/a?exp={text}"):
        assert link_expiry(url, NOW).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("0.0.0.0", False),  # noqa: S104 - asked about, not bound
        ("128.0.0.1", False),
        ("10.0.0.1", False),
        ("0x7f000001", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, loopback: bool) -> None:
    """By address or by the one name."""
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("Sun, 22 Nov 2026 10:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0),
        ("Sun, 22 Nov 2026 11:00:30 +0100", 30),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("9" * 5000, 999_999_999),
    ],
)
def test_retry_after_is_read_in_both_its_forms(value: str | None, seconds: float | None) -> None:
    """Seconds or a date; anything else is none."""
    assert parse_retry_after(value, NOW) == seconds


@given(st.text() | st.none())
def test_headers_of_time_never_fail(value: str | None) -> None:
    """Whatever a server writes."""
    parse_http_date(value)
    parse_retry_after(value, NOW)
