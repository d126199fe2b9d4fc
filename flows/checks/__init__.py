"""The audit's checks: measurements in, findings out; no I/O, and no thresholds of their own."""
