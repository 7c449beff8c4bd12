//! The bridge against a model of MLflow's server: what arrives is what was sent, in every order and through every fault.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod attachments;
mod drive;
mod faults;
mod feedback;
mod local;
mod model;
mod old_servers;
mod order;
mod previews;
mod routes;
mod spans;
mod traces;
mod unity_catalog;
