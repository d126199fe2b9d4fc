"""What was asked, what it cost and what came of it: the journal while it happens, Parquet once it is done.

Knows storage layouts and the rules by which records become rows; knows no HTTP, no pixels, no policies. The
order of steps in `fold`, `claims` and `seal` is the crash protocol: tests/history/test_interleavings.py shows
for each of its safeguards that money is lost without it.
"""
