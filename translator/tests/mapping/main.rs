//! The mapping: rules one by one, a picture of every fixture, and properties of any input.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

#[cfg(test)]
mod json_index;
#[cfg(test)]
mod pictures;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod repairs;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod spans;
#[cfg(test)]
mod trace_json;
