"""Coverage documents: what their tables hold, how their paragraphs are read, how they are indexed (semantics.md §D)."""
