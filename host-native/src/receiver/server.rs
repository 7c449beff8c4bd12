//! Accepts connections and speaks HTTP on them, version 1 or 2 as the client does.
//!
//! Guarantees: a connection that is silent, slow with its first request or idle for too long is closed; there are never
//! more of them than the limit; what one client does on its connection holds up no other.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tower::{Service, service_fn};

use super::connections::{Connections, Place};
use super::tls::Tls;
use crate::settings::Limits;

/// An HTTP/2 connection on which nothing happens is asked so often whether anybody is there …
const PING_INTERVAL: Duration = Duration::from_secs(60);
/// … and closed when no answer comes within this time.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long to wait when the system has no connection to give, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// What an HTTP/2 client may send on one stream before somebody reads it, in bytes.
const STREAM_WINDOW: u32 = 256 << 10;
/// The same for all streams of a connection.
const CONNECTION_WINDOW: u32 = 1 << 20;

/// A server that accepts connections until it is stopped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
}

/// What every connection of a server needs.
#[derive(Debug, Clone)]
struct Conversations {
    routes: Router,
    limits: Limits,
    http: auto::Builder<TokioExecutor>,
    tls: Option<Tls>,
    stopped: watch::Receiver<bool>,
}

// === impl Server ===

impl Server {
    pub(crate) fn start(
        listener: TcpListener,
        address: SocketAddr,
        routes: Router,
        limits: &Limits,
        tls: Option<Tls>,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let conversations = Conversations { routes, limits: limits.clone(), http: http(limits), tls, stopped };
        tokio::spawn(accept(listener, conversations));
        Self { address, stop }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more and waits for the connections to end; those that have not after `limit` are cut.
    pub(crate) async fn stop(self, limit: Duration) {
        self.stop.send_replace(true);
        // Every connection listens until it ends, or until there is nobody to listen to.
        if timeout(limit, self.stop.closed()).await.is_err() {
            tracing::warn!("connections to {} were cut: their requests did not end in time", self.address);
        }
    }
}

fn http(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let header = usize::try_from(limits.header_bytes).unwrap_or(usize::MAX);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // The time that a head takes is measured here, for both versions alike; see `Place::lost`.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(header);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT)
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.header_bytes)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    builder
}

async fn accept(listener: TcpListener, mut conversations: Conversations) {
    let connections = Connections::new(conversations.limits.connections);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = conversations.stopped.changed() => return,
        };
        match accepted {
            Ok((stream, _)) => match connections.admit() {
                Some(place) => drop(tokio::spawn(conversations.clone().open(stream, place))),
                None => tracing::debug!("a connection was refused: every other one has a request under way"),
            },
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

// === impl Conversations ===

impl Conversations {
    async fn open(self, stream: TcpStream, place: Place) {
        // Answers are small, and somebody waits for them.
        let _ = stream.set_nodelay(true);
        let Some(tls) = self.tls.clone() else { return self.converse(stream, place).await };
        let secured = tokio::select! {
            secured = tls.accept(stream) => secured,
            () = place.evicted() => return,
        };
        match secured {
            Ok(stream) => {
                place.opened();
                self.converse(stream, place).await;
            }
            Err(error) => tracing::debug!("a TLS connection did not come about: {error}"),
        }
    }

    async fn converse(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, place: Place) {
        let (activity, routes) = (Arc::clone(place.activity()), self.routes);
        let counted = service_fn(move |request: http::Request<Incoming>| {
            let (busy, answer) = (activity.begin(), routes.clone().call(request));
            async move {
                let answer = answer.await;
                drop(busy);
                answer
            }
        });
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(counted)));
        let mut lost = pin!(place.lost(&self.limits));
        let ended = loop {
            tokio::select! {
                ended = connection.as_mut() => break ended,
                () = lost.as_mut() => return,
                stopped = self.stopped.changed() => match stopped {
                    Ok(()) => connection.as_mut().graceful_shutdown(),
                    Err(_) => return,
                },
            }
        };
        if let Err(error) = ended {
            tracing::debug!("a connection broke: {error}");
        }
    }
}
