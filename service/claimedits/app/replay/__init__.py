"""Replay: historical claims re-run under a release, at scale, with what changed, what was expected, and a report."""
