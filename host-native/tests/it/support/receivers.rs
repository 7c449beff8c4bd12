//! Both receivers on free ports, before a bridge that the test chooses.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::LazyLock;
use std::time::Duration;

use openinference_mlflow::driver::{self, Handle};
use openinference_mlflow::quarantine::Quarantine;
use openinference_mlflow::receiver::{AccessError, Listeners, Receivers, Rules};
use openinference_mlflow::settings::{Access, Limits, Receive};
use openinference_mlflow::telemetry::Received;
use openinference_mlflow::wasm::{MemoryLimit, OpenBridge, Translator, WasmBridges};
use reqwest::Url;
use tempfile::TempDir;

use super::fake_bridge::{FakeBridges, Inbox};

/// The largest payload that is accepted.
pub(crate) const LIMIT: usize = 1 << 20;

pub(crate) struct Running {
    pub(crate) bridge: Handle,
    pub(crate) inbox: Inbox,
    pub(crate) receivers: Receivers,
    /// Lives as long as the rest.
    _data_dir: TempDir,
}

/// The real translator, compiled once for all tests.
pub(crate) static TRANSLATOR: LazyLock<Translator> = LazyLock::new(|| Translator::load(None).unwrap());

/// Bridges of the real translator, for an MLflow server.
pub(crate) fn real_bridges() -> WasmBridges {
    let limit = MemoryLimit::for_bridge(64 << 20, 1 << 20);
    TRANSLATOR.bridges(r#"{"settle_ms": 10, "retry_initial_ms": 10, "retry_max_ms": 50}"#.to_owned(), limit)
}

/// Receivers before a fake bridge.
pub(crate) async fn fake() -> (Running, FakeBridges) {
    let bridges = FakeBridges::default();
    (start(bridges.clone(), Limits::for_bodies(LIMIT), Access::default()).await, bridges)
}

/// The same with other limits.
pub(crate) async fn limited(limits: Limits) -> Running {
    held_to(limits, Access::default()).await
}

/// The same for some alone, or over TLS.
pub(crate) async fn guarded(access: Access) -> Running {
    held_to(Limits::for_bodies(LIMIT), access).await
}

/// The same with both.
pub(crate) async fn held_to(limits: Limits, access: Access) -> Running {
    start(FakeBridges::default(), limits, access).await
}

/// Why receivers do not start.
pub(crate) async fn refused(access: Access) -> AccessError {
    let started = try_start(FakeBridges::default(), Limits::for_bodies(LIMIT), access).await;
    started.err().unwrap()
}

/// Receivers before the real translator.
pub(crate) async fn real() -> Running {
    start(real_bridges(), Limits::for_bodies(LIMIT), Access::default()).await
}

async fn start(bridges: impl OpenBridge + 'static, limits: Limits, access: Access) -> Running {
    try_start(bridges, limits, access).await.unwrap()
}

async fn try_start(bridges: impl OpenBridge + 'static, limits: Limits, access: Access) -> Result<Running, AccessError> {
    let data_dir = tempfile::tempdir().unwrap();
    let inbox = Inbox::default();
    let bridge = driver::start(bridges, inbox.clone(), Quarantine::below(data_dir.path()), None).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let shutdown_timeout = Duration::from_secs(1);
    let settings =
        Receive { listen: true, grpc_listen: any, http_listen: any, max_body_bytes: LIMIT, shutdown_timeout };
    let rules = Rules { max_body_bytes: LIMIT, limits, access };
    let listeners = Listeners::bind(&settings).await.unwrap();
    let receivers = listeners.serve(bridge.clone(), &rules, Received::default())?;
    Ok(Running { bridge, inbox, receivers, _data_dir: data_dir })
}

impl Running {
    /// A URL on the HTTP receiver.
    pub(crate) fn http(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.receivers.http_address())).unwrap()
    }

    /// The gRPC receiver.
    pub(crate) fn grpc(&self) -> String {
        format!("http://{}", self.receivers.grpc_address())
    }
}
