//! Takes OTLP from applications: over gRPC and over HTTP, as the OTLP specification 1.9 describes both.
//!
//! Guarantees: a payload reaches the bridge byte for byte as it was sent, but for its compression; a sender hears 200 or
//! OK only for what the bridge has taken; what a sender may repeat is answered with a code that OTLP calls retryable,
//! and with how long to wait; no body is larger in memory than the limit, whatever it was compressed from, nor are all
//! of them together; a sender that is slow holds its own connection up and no other; where senders have to prove who
//! they are, nothing of a request but its head is read before they have.

mod answer;
mod budget;
mod clients;
mod connections;
mod context;
mod grpc;
mod http;
mod refusal;
mod reload;
pub(crate) mod server;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ::http::HeaderMap;
use bytes::Bytes;
use tokio::net::TcpListener;
use tracing::{Instrument as _, debug_span};

use crate::driver::{Accepted, Handle, Held};
use crate::settings::{Access, Limits, Receive};
use crate::telemetry::self_trace::TARGET;
use crate::telemetry::{Received, Transport};
use crate::wasm::Context;
use budget::{Budget, Reservation};
use clients::Clients;
use refusal::Refusal;
use server::Server;
use tls::Tls;

pub(crate) use clients::file as auth_file;
pub use clients::file::AuthFileError;
pub use tls::TlsError;

/// Both receivers, listening.
#[derive(Debug)]
pub struct Receivers {
    grpc: Server,
    http: Server,
}

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else does.
    #[error(
        "{address} is already in use, by another collector perhaps, or by this program\n\
         hint: stop that program, or listen elsewhere with {flag} (port 0 takes any free port)"
    )]
    InUse {
        /// Where.
        address: SocketAddr,
        /// The flag that says where.
        flag: &'static str,
    },
    /// The system refuses.
    #[error("{address} cannot be listened on: {cause}\nhint: listen elsewhere with {flag}")]
    Refused {
        /// Where.
        address: SocketAddr,
        /// The flag that says where.
        flag: &'static str,
        /// Why.
        cause: io::Error,
    },
}

/// The receivers cannot be opened to anybody.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum AccessError {
    /// Not over TLS.
    Tls(#[from] TlsError),
    /// Not to those who may send.
    AuthFile(#[from] AuthFileError),
    /// The system does not say which port it gave.
    Address(#[from] io::Error),
}

/// What the receivers are held to.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The size of the largest payload, in bytes after decompression.
    pub max_body_bytes: usize,
    /// What senders may take.
    pub limits: Limits,
    /// Who may connect, and how.
    pub access: Access,
}

/// What both receivers know.
#[derive(Debug, Clone)]
struct Intake {
    bridge: Handle,
    /// The largest payload, in bytes after decompression.
    limit: usize,
    /// How long the body of one request may take to arrive.
    body_timeout: Duration,
    budget: Budget,
    clients: Clients,
    /// Counts what comes, and what is answered.
    received: Received,
}

/// The two sockets, before anything is accepted.
#[derive(Debug)]
pub struct Listeners {
    grpc: TcpListener,
    http: TcpListener,
}

// === impl Listeners ===

impl Listeners {
    /// Listen on both addresses.
    ///
    /// # Errors
    /// Which address cannot be listened on, and what to do.
    pub async fn bind(settings: &Receive) -> Result<Self, ListenError> {
        Ok(Self {
            grpc: listen(settings.grpc_listen, "--grpc-listen").await?,
            http: listen(settings.http_listen, "--http-listen").await?,
        })
    }

    /// Accept connections from here on; what they send goes to the bridge.
    ///
    /// # Errors
    /// What is wrong with the certificate, its key, or the auth file.
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
    /// Where OTLP/gRPC is received.
    pub fn grpc_address(&self) -> SocketAddr {
        self.grpc.address()
    }

    /// Where OTLP/HTTP is received.
    pub fn http_address(&self) -> SocketAddr {
        self.http.address()
    }

    /// Accept nothing more, let the requests under way finish, and close every connection; after `limit` in any case.
    pub async fn stop(self, limit: Duration) {
        tokio::join!(self.grpc.stop(limit), self.http.stop(limit));
    }
}

// === impl Intake ===

impl Intake {
    /// Begin a request with this head.
    async fn admit(&self, headers: &HeaderMap) -> Result<Reservation, Refusal> {
        self.clients.check(headers).await?;
        self.budget.begin()
    }

    /// Passes a payload on; what it holds of the budget is held until it is written down or the bridge has it, even when its sender
    /// is gone before.
    async fn take(&self, payload: Bytes, context: Context, by: Transport, held: Held) -> Result<Accepted, Refusal> {
        self.received.arrived(by, payload.len());
        let span = debug_span!(target: TARGET, "ingest");
        Ok(self.bridge.ingest_holding(payload, context, held).instrument(span).await?)
    }

    /// Counts what a sender is told.
    fn count(&self, answer: &Result<Accepted, Refusal>, by: Transport) {
        match answer {
            Ok(accepted) => self.received.acknowledged(by, accepted.spans),
            Err(refusal) => self.received.refused(by, refusal.word()),
        }
    }
}

async fn listen(address: SocketAddr, flag: &'static str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|cause| match cause.kind() {
        io::ErrorKind::AddrInUse => ListenError::InUse { address, flag },
        _ => ListenError::Refused { address, flag, cause },
    })
}
