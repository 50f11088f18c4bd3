"""What differs between two revisions or two releases, and which claims the difference can touch."""
