"""Mutants: small mistakes put into rules and tables one at a time, to see whether some test notices (``--mutate``)."""
