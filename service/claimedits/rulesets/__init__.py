"""Versioned rule content: reading publishers' files, keeping revisions and releases, indexes that find candidates."""
