//! OTLP in and out, against prost and opentelemetry-proto as the oracle.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod json_encode;
#[cfg(test)]
mod json_lenient_envelope;
#[cfg(test)]
mod json_lenient_fields;
#[cfg(test)]
mod json_lenient_ids;
#[cfg(test)]
mod json_lenient_values;
#[cfg(test)]
mod json_malformed;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod protobuf;
#[cfg(test)]
mod random;
