//! Both receivers on free ports, before a bridge that the test chooses.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::LazyLock;
use std::time::Duration;

use openinference_mlflow::deliver::set_aside::SetAsideFolder;
use openinference_mlflow::drive::{self, Handle};
use openinference_mlflow::guest::{GuestBridges, MemoryLimit, OpenBridge, Translator};
use openinference_mlflow::observe::Received;
use openinference_mlflow::receive::{Listeners, Receivers};
use openinference_mlflow::settings::Receive;
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
pub(crate) fn real_bridges() -> GuestBridges {
    let limit = MemoryLimit::for_bridge(64 << 20, 1 << 20);
    TRANSLATOR.bridges(r#"{"settle_ms": 10, "retry_initial_ms": 10, "retry_max_ms": 50}"#.to_owned(), limit)
}

/// Receivers before a fake bridge.
pub(crate) async fn fake() -> (Running, FakeBridges) {
    let bridges = FakeBridges::default();
    (start(bridges.clone()).await, bridges)
}

/// Receivers before the real translator.
pub(crate) async fn real() -> Running {
    start(real_bridges()).await
}

async fn start(bridges: impl OpenBridge + 'static) -> Running {
    let data_dir = tempfile::tempdir().unwrap();
    let inbox = Inbox::default();
    let bridge = drive::start(bridges, inbox.clone(), SetAsideFolder::below(data_dir.path())).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let settings =
        Receive { grpc_listen: any, http_listen: any, max_body_bytes: LIMIT, shutdown_timeout: Duration::from_secs(1) };
    let listeners = Listeners::bind(&settings).await.unwrap();
    let receivers = listeners.serve(bridge.clone(), LIMIT, Received::default()).unwrap();
    Running { bridge, inbox, receivers, _data_dir: data_dir }
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
