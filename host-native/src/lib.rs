//! The gateway: receives OTLP from applications, passes it to the translator, and delivers the result to MLflow. It does not
//! read spans.
//!
//! The modules, in the order in which data passes through them:
//!
//! | module | what it does |
//! |---|---|
//! | [`receiver`] | accepts OTLP over gRPC and HTTP: connections, TLS, credentials, limits |
//! | [`payload`] | the encoding of a payload and the destination its sender asked for |
//! | `kafka` | reads payloads from a Kafka topic, as a member of a consumer group (Cargo feature `kafka`) |
//! | [`journal`] | stores each accepted payload on disk until every destination has it |
//! | [`driver`] | owns the translator's bridge on one thread and replaces an instance that traps |
//! | [`wasm`] | runs the translator in wasmtime, with limits on memory and time |
//! | [`exporter`] | performs the translator's requests: against MLflow, or on the local folder |
//! | [`forwarder`] | sends received payloads to other OTLP endpoints |
//! | [`quarantine`] | stores spans and payloads that a destination refuses, with the reason |
//! | [`http_client`] | what all outgoing HTTP clients share: TLS trust, timeouts, error texts |
//! | [`telemetry`] | counts: metrics, reachability of MLflow, the gateway's own spans |
//! | [`admin`] | serves `/healthz`, `/readyz` and `/metrics` |
//! | [`bridge`] | assembles translator, driver and exporter from the settings |
//! | [`settings`] | resolves flags, environment, settings file and defaults |
//! | [`cli`] | defines commands, flags and their help |
//! | [`command`] | runs the commands |
//! | [`terminal`] | prints finished traces |
//! | [`logs`] | writes log lines |

#![forbid(unsafe_code)]

pub mod admin;
pub mod bridge;
pub mod cli;
pub mod command;
pub mod driver;
pub mod exporter;
mod folder;
pub mod forwarder;
pub mod http_client;
pub mod journal;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod logs;
pub mod payload;
pub mod quarantine;
pub mod receiver;
mod reload;
pub mod settings;
pub mod telemetry;
pub mod terminal;
pub mod units;
pub mod wasm;
