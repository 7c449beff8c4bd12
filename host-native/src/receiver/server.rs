//! Accepts connections and serves HTTP/1.1 or HTTP/2 on them.
//!
//! Guarantees: a connection that is silent, slow with its first request, or idle for too long is closed; there are never
//! more connections than the limit; one client does not delay another.

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

/// The interval of pings on an idle HTTP/2 connection.
const PING_INTERVAL: Duration = Duration::from_secs(60);
/// An HTTP/2 connection is closed when a ping is not answered within this time.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// The pause after a failed accept, for example when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// The flow-control window of an HTTP/2 stream, in bytes.
const STREAM_WINDOW: u32 = 256 << 10;
/// The flow-control window of an HTTP/2 connection, in bytes.
const CONNECTION_WINDOW: u32 = 1 << 20;

/// A server that accepts connections until it is stopped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
}

/// What all connections of a server share.
#[derive(Debug, Clone)]
struct ConnectionContext {
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
        let context = ConnectionContext { routes, limits: limits.clone(), http: http(limits), tls, stopped };
        tokio::spawn(accept(listener, context));
        Self { address, stop }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting connections and waits for the open ones to end. Closes the rest after `limit`.
    pub(crate) async fn stop(self, limit: Duration) {
        self.stop.send_replace(true);
        // Each connection holds a receiver until it ends.
        if timeout(limit, self.stop.closed()).await.is_err() {
            tracing::warn!("closed connections to {} with requests in flight: they did not end in time", self.address);
        }
    }
}

fn http(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let header = usize::try_from(limits.header_bytes).unwrap_or(usize::MAX);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // `Place::lost` limits the time of a request head for both versions.
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

async fn accept(listener: TcpListener, mut context: ConnectionContext) {
    let connections = Connections::new(context.limits.connections);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = context.stopped.changed() => return,
        };
        match accepted {
            Ok((stream, _)) => match connections.admit() {
                Some(place) => drop(tokio::spawn(context.clone().open(stream, place))),
                None => tracing::debug!("refused a connection: all others have requests in flight"),
            },
            Err(error) => {
                tracing::warn!("failed to accept a connection: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

// === impl ConnectionContext ===

impl ConnectionContext {
    async fn open(self, stream: TcpStream, place: Place) {
        // Answers are small, and senders wait for them.
        let _ = stream.set_nodelay(true);
        let Some(tls) = self.tls.clone() else { return self.serve(stream, place).await };
        let secured = tokio::select! {
            secured = tls.accept(stream) => secured,
            () = place.evicted() => return,
        };
        match secured {
            Ok(stream) => {
                place.opened();
                self.serve(stream, place).await;
            }
            Err(error) => tracing::debug!("TLS handshake failed: {error}"),
        }
    }

    async fn serve(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, place: Place) {
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
            tracing::debug!("connection failed: {error}");
        }
    }
}
