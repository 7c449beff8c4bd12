//! What senders may take of the receivers, with the defaults.

use std::time::Duration;

use bytesize::ByteSize;

use super::{Layers, SettingsError};
use crate::cli::LimitArgs;
use crate::units::Period;

/// What senders may take of the receivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections that each receiver keeps.
    pub connections: usize,
    /// Requests under way at once, both receivers together.
    pub requests: usize,
    /// Bytes of bodies under way at once, both receivers together.
    pub inflight_bytes: usize,
    /// The largest head of a request, in bytes; not a setting.
    pub header_bytes: u32,
    /// Requests under way at once on one HTTP/2 connection; not a setting.
    pub streams: u32,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// How long the head of a connection's first request may take to arrive.
    pub header_timeout: Duration,
    /// How long the body of a request may take to arrive.
    pub body_timeout: Duration,
    /// How long a connection may wait for its next request.
    pub idle_timeout: Duration,
}

impl Limits {
    /// The defaults, for payloads of at most `max_body` bytes.
    pub fn for_bodies(max_body: usize) -> Self {
        Self {
            connections: 2048,
            requests: 1024,
            inflight_bytes: max_body.saturating_mul(4),
            header_bytes: 16 << 10,
            streams: 100,
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(5 * 60),
        }
    }

    pub(super) fn resolve(layers: &Layers<LimitArgs>, max_body: usize) -> Result<Self, SettingsError> {
        let default = Self::for_bodies(max_body);
        let count = |value: Option<std::num::NonZeroU32>| value.map(|count| count.get() as usize);
        let time = |value: Option<Period>, default| value.map_or(default, |Period(time)| time);
        let inflight_bytes = layers.pick(|args| &args.max_inflight_size).map(bytes).unwrap_or(default.inflight_bytes);
        if inflight_bytes < max_body {
            return Err(SettingsError::TooLittle {
                flag: "--max-inflight-size",
                least: format!("--max-body-size ({max_body} bytes)"),
            });
        }
        Ok(Self {
            connections: count(layers.pick(|args| &args.max_connections)).unwrap_or(default.connections),
            requests: count(layers.pick(|args| &args.max_requests)).unwrap_or(default.requests),
            inflight_bytes,
            header_bytes: default.header_bytes,
            streams: default.streams,
            handshake_timeout: time(layers.pick(|args| &args.handshake_timeout), default.handshake_timeout),
            header_timeout: time(layers.pick(|args| &args.header_timeout), default.header_timeout),
            body_timeout: time(layers.pick(|args| &args.body_timeout), default.body_timeout),
            idle_timeout: time(layers.pick(|args| &args.idle_timeout), default.idle_timeout),
        })
    }
}

fn bytes(size: ByteSize) -> usize {
    usize::try_from(size.as_u64()).unwrap_or(usize::MAX)
}
