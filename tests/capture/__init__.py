"""Makes the payloads in `fixtures/otlp/`. Run in `tests/`, see `capture/README.md`."""
