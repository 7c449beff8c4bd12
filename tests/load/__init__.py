"""A replayable load generator: the same seed makes the same traces, at a rate that flags choose."""
