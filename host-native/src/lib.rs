//! The host: sockets, disk, TLS, timers, signals, settings and logs around the translator, and nothing about traces.
//!
//! The modules are the way the data goes: [`receiver`] takes payloads from applications, [`driver`] passes them to the
//! translator in [`wasm`], and [`exporter`] performs the requests that come out of it.

#![forbid(unsafe_code)]

pub mod bridge;
pub mod cli;
pub mod command;
pub mod driver;
pub mod exporter;
mod folder;
pub mod forwarder;
pub mod journal;
pub mod logs;
pub mod quarantine;
pub mod receiver;
pub mod settings;
pub mod telemetry;
pub mod terminal;
pub mod wasm;
