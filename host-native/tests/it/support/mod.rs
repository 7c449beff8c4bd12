//! What the tests share: scripted applications, an MLflow and bridges, all on loopback.

pub(crate) mod certificates;
pub(crate) mod fake_bridge;
pub(crate) mod grpc_client;
#[cfg(feature = "kafka")]
pub(crate) mod kafka;
pub(crate) mod mlflow;
pub(crate) mod payload;
pub(crate) mod program;
pub(crate) mod receivers;

use std::future::Future;
use std::time::Duration;

/// Waits until the condition holds. A condition that never does fails the test; how long it takes decides nothing.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let patience = Duration::from_secs(60);
    let held = tokio::time::timeout(patience, async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(held.await.is_ok(), "never happened: {what}");
}
