//! Receives OTLP from applications over gRPC and HTTP (OTLP specification 1.9).
//!
//! Guarantees:
//! - A payload reaches the bridge byte for byte as sent, after decompression.
//! - A sender gets 200 or OK only for a payload that the journal or the bridge has.
//! - A request that may be retried gets a code that OTLP calls retryable, with the time to wait.
//! - No body takes more memory than its limit after decompression, nor do all bodies together.
//! - A slow sender delays only its own connection.
//! - With authentication, only the head of a request is read before the sender is authenticated.

mod answer;
mod budget;
mod challenge;
mod clients;
mod connections;
mod context;
mod grpc;
mod http;
mod refusal;
pub(crate) mod server;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ::http::HeaderMap;
use bytes::Bytes;
use tokio::net::TcpListener;
use tracing::{Instrument as _, debug_span};

use crate::driver::{Accepted, Handle, MemoryReservation};
use crate::payload::PayloadContext;
use crate::settings::{Access, Limits, Receive};
use crate::telemetry::self_trace::TARGET;
use crate::telemetry::{Received, Transport};
use budget::{Budget, Reservation};
use clients::Clients;
use refusal::Refusal;
use server::Server;
use tls::Tls;

pub(crate) use clients::file as auth_file;
pub use clients::file::AuthFileError;
pub use grpc::RawCodec;
pub use tls::TlsError;

/// Both receivers, listening.
#[derive(Debug)]
pub struct Receivers {
    grpc: Server,
    http: Server,
}

/// An address cannot be bound.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another process uses the address.
    #[error(
        "failed to bind {address}: the address is in use, for example by another collector or gateway\n\
         hint: stop that program, or choose another address with {flag} (port 0 selects a free port)"
    )]
    InUse {
        /// The address.
        address: SocketAddr,
        /// The flag that sets the address.
        flag: &'static str,
    },
    /// The system refuses.
    #[error("failed to bind {address}: {cause}\nhint: choose another address with {flag}")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// The flag that sets the address.
        flag: &'static str,
        /// Why.
        cause: io::Error,
    },
}

/// TLS or authentication cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum AccessError {
    /// The TLS files cannot be used.
    Tls(#[from] TlsError),
    /// The auth file cannot be used.
    AuthFile(#[from] AuthFileError),
    /// The system does not say which port it gave.
    Address(#[from] io::Error),
}

/// Limits and access rules of the receivers.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The size of the largest payload, in bytes after decompression.
    pub max_body_bytes: usize,
    /// Limits on connections, requests and times.
    pub limits: Limits,
    /// TLS and authentication.
    pub access: Access,
}

/// What both receivers share.
#[derive(Debug, Clone)]
struct Intake {
    bridge: Handle,
    /// The largest payload, in bytes after decompression.
    limit: usize,
    /// How long the body of one request may take to arrive.
    body_timeout: Duration,
    budget: Budget,
    clients: Clients,
    /// Counts requests and answers.
    received: Received,
}

/// The two bound sockets, before they accept connections.
#[derive(Debug)]
pub struct Listeners {
    grpc: TcpListener,
    http: TcpListener,
}

// === impl Listeners ===

impl Listeners {
    /// Binds both addresses.
    ///
    /// # Errors
    /// An address cannot be bound.
    pub async fn bind(settings: &Receive) -> Result<Self, ListenError> {
        Ok(Self {
            grpc: listen(settings.grpc_listen, "--grpc-listen").await?,
            http: listen(settings.http_listen, "--http-listen").await?,
        })
    }

    /// Accepts connections and passes payloads to the bridge.
    ///
    /// # Errors
    /// The certificate, its key, or the auth file cannot be used.
    pub fn serve(self, bridge: Handle, rules: &Rules, received: Received) -> Result<Receivers, AccessError> {
        let limits = &rules.limits;
        let tls = rules.access.tls.as_ref().map(|files| Tls::start(files, limits.handshake_timeout)).transpose()?;
        let clients = Clients::start(rules.access.auth_file.as_deref())?;
        let (grpc, http) = (self.grpc.local_addr()?, self.http.local_addr()?);
        let budget = Budget::new(limits);
        let intake = Intake {
            bridge,
            limit: rules.max_body_bytes,
            body_timeout: limits.body_timeout,
            budget,
            clients,
            received,
        };
        Ok(Receivers {
            grpc: Server::start(self.grpc, grpc, grpc::routes(intake.clone(), http), limits, tls.clone()),
            http: Server::start(self.http, http, http::routes(intake, grpc), limits, tls),
        })
    }
}

// === impl Receivers ===

impl Receivers {
    /// The address of OTLP/gRPC.
    pub fn grpc_address(&self) -> SocketAddr {
        self.grpc.address()
    }

    /// The address of OTLP/HTTP.
    pub fn http_address(&self) -> SocketAddr {
        self.http.address()
    }

    /// Stops accepting connections, lets requests in flight finish, and closes every connection after `limit` at the latest.
    pub async fn stop(self, limit: Duration) {
        tokio::join!(self.grpc.stop(limit), self.http.stop(limit));
    }
}

// === impl Intake ===

impl Intake {
    /// Authenticates a request and reserves its place.
    async fn admit(&self, headers: &HeaderMap) -> Result<Reservation, Refusal> {
        self.clients.check(headers).await?;
        self.budget.begin()
    }

    /// Passes a payload on. Its reservation lasts until the journal or the bridge has the payload, even if its sender
    /// disconnects.
    async fn take(
        &self,
        payload: Bytes,
        context: PayloadContext,
        by: Transport,
        reservation: MemoryReservation,
    ) -> Result<Accepted, Refusal> {
        self.received.arrived(by, payload.len());
        let span = debug_span!(target: TARGET, "ingest");
        Ok(self.bridge.ingest_with_reservation(payload, context, reservation).instrument(span).await?)
    }

    /// Counts the answer to a sender.
    fn count(&self, answer: &Result<Accepted, Refusal>, by: Transport) {
        match answer {
            Ok(accepted) => self.received.acknowledged(by, accepted.spans),
            Err(refusal) => self.received.refused(by, refusal.label()),
        }
    }
}

async fn listen(address: SocketAddr, flag: &'static str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|cause| match cause.kind() {
        io::ErrorKind::AddrInUse => ListenError::InUse { address, flag },
        _ => ListenError::Refused { address, flag, cause },
    })
}
