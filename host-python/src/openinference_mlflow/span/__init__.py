"""From finished spans to OTLP payloads."""
