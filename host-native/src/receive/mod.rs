//! Takes OTLP from applications: over gRPC and over HTTP, as the OTLP specification 1.9 describes both.
//!
//! Guarantees: a payload reaches the bridge byte for byte as it was sent, but for its compression; a sender hears 200 or
//! OK only for what the bridge has taken; what a sender may repeat is answered with a code that OTLP calls retryable,
//! and with how long to wait; no body is larger in memory than the limit, whatever it was compressed from; a sender
//! that is slow holds its own connection up and no other.

mod answer;
mod context;
mod grpc;
mod http;
mod refusal;
pub(crate) mod server;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;

use crate::drive::{Accepted, Handle};
use crate::guest::Context;
use crate::observe::{Received, Transport};
use crate::settings::Receive;
use refusal::Refusal;
use server::Server;

/// How long the body of one request may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

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

/// What both receivers know.
#[derive(Debug, Clone)]
struct Intake {
    bridge: Handle,
    /// The largest payload, in bytes after decompression.
    limit: usize,
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
    /// The system does not say which port it gave.
    pub fn serve(self, bridge: Handle, limit: usize, received: Received) -> io::Result<Receivers> {
        let (grpc, http) = (self.grpc.local_addr()?, self.http.local_addr()?);
        let intake = Intake { bridge, limit, received };
        Ok(Receivers {
            grpc: Server::start(self.grpc, grpc, grpc::routes(intake.clone(), http)),
            http: Server::start(self.http, http, http::routes(intake, grpc)),
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
    async fn take(&self, payload: Bytes, context: Context, by: Transport) -> Result<Accepted, Refusal> {
        self.received.arrived(by, payload.len());
        Ok(self.bridge.ingest(payload, context).await?)
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
