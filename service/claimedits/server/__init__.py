"""gRPC: handlers, errors, health, workers. Knows no rules (docs/architecture.md)."""
