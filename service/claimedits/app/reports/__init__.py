"""Reports for people: one self-contained HTML page each, without a network, readable on a phone and by a screen reader."""
