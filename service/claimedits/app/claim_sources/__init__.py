"""Claims as they are kept: X12 837, FHIR, tables and NDJSON, read into the claim of the contract (docs/claim-sources.md)."""
