"""Publishers' files as they come: files and archive members, read within limits (file-formats.md §0)."""
