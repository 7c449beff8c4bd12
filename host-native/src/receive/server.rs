//! Accepts connections and speaks HTTP on them, version 1 or 2 as the client does.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How long a client may take for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// An HTTP/2 connection on which nothing happens is asked so often whether anybody is there …
const PING_INTERVAL: Duration = Duration::from_secs(60);
/// … and closed when no answer comes within this time.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long to wait when the system has no connection to give, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A server that accepts connections until it is stopped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    connections: JoinHandle<GracefulShutdown>,
}

impl Server {
    pub(crate) fn start(listener: TcpListener, address: SocketAddr, routes: Router) -> Self {
        let (stop, stopped) = oneshot::channel();
        let connections = tokio::spawn(accept(listener, routes, stopped));
        Self { address, stop, connections }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more and waits for the connections to end; those that have not after `limit` are cut.
    pub(crate) async fn stop(self, limit: Duration) {
        // Nobody receives it when the task has ended by itself.
        let _ = self.stop.send(());
        let finished = async {
            if let Ok(connections) = self.connections.await {
                connections.shutdown().await;
            }
        };
        if timeout(limit, finished).await.is_err() {
            tracing::warn!("connections to {} were cut: their requests did not end in time", self.address);
        }
    }
}

async fn accept(listener: TcpListener, routes: Router, mut stopped: oneshot::Receiver<()>) -> GracefulShutdown {
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return connections,
        };
        match accepted {
            Ok((stream, _)) => converse(stream, routes.clone(), &connections),
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn converse(stream: TcpStream, routes: Router, connections: &GracefulShutdown) {
    // Answers are small, and somebody waits for them.
    let _ = stream.set_nodelay(true);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(PING_INTERVAL).keep_alive_timeout(PING_TIMEOUT);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes)).into_owned();
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("a connection broke: {error}");
        }
    });
}
