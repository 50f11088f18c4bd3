"""Lints: what is suspicious in rules that people write, and in an update against the edition before.

``catalogue`` lists them, ``docs/lints`` explains each, ``settings`` reads ``lints.toml``. Nothing here evaluates a claim.
"""
