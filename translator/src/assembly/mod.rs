//! Traces from spans.
