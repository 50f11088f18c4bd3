"""The command line ``claim-edits`` (api.md §4): words in, use cases of ``app``, text or JSON out."""
