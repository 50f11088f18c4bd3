"""Decides: one module a family, each reading like its section of semantics.md; ``evaluation`` runs them in order (§0.4)."""
