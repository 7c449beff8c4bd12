//! Requests, retries, experiments.
