//! Whether the gateway is ready: whether it can accept, store and deliver payloads.
//!
//! A failing forward destination and a full quarantine are reported but do not make the gateway unready: it still accepts and
//! stores payloads, and a load balancer must not remove it. The same holds for Kafka, unless payloads come from Kafka alone.
//!
//! Each check runs at most every few seconds, and once at a time.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::driver::Handle;
use crate::exporter::Destination as _;
use crate::exporter::mlflow::MlflowServer;
use crate::forwarder::DestinationStatus;
use crate::journal::Journal;
use crate::telemetry::{GroupStatus, Reachability};
use crate::wasm::Request;

/// How long the result of the disk check is valid.
const DISK_GOOD_FOR: Duration = Duration::from_secs(5);
/// The timeout of the request to MLflow, in milliseconds: less than probes usually wait.
const TIMEOUT: u32 = 3_000;

/// The state that the checks need.
#[derive(Debug)]
pub struct Readiness {
    bridge: Handle,
    data_dir: PathBuf,
    disk: Mutex<Option<(Instant, Result<(), String>)>>,
    mlflow: Option<Mutex<MlflowServer>>,
    reachability: Reachability,
    journal: Option<Journal>,
    forwarded: Vec<DestinationStatus>,
    kafka: KafkaReadiness,
    stopping: AtomicBool,
}

/// The consumer groups on a Kafka topic.
#[derive(Debug)]
pub struct KafkaReadiness {
    /// Their status.
    pub groups: Vec<GroupStatus>,
    /// Whether payloads come from Kafka alone.
    pub required: bool,
}

/// The body of `/readyz`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether all required checks succeed.
    pub(super) ready: bool,
    checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    /// The destination, if several checks have the same name.
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    ok: bool,
    /// Whether readiness requires this check.
    required: bool,
    /// What is wrong. Absent if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

// === impl Readiness ===

impl Readiness {
    /// Checks the bridge, the data directory, and, if present, the server, the journal, the forward destinations and Kafka.
    pub fn new(
        bridge: Handle,
        data_dir: &Path,
        mlflow: Option<MlflowServer>,
        reachability: Reachability,
        journal: Option<Journal>,
        forwarded: Vec<DestinationStatus>,
        kafka: KafkaReadiness,
    ) -> Self {
        Self {
            bridge,
            data_dir: data_dir.to_path_buf(),
            disk: Mutex::default(),
            mlflow: mlflow.map(Mutex::new),
            reachability,
            journal,
            forwarded,
            kafka,
            stopping: AtomicBool::new(false),
        }
    }

    /// From now on the gateway is not ready.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Runs the checks that are not excluded.
    pub(super) async fn report(&self, excluded: &[String]) -> Report {
        let wanted = |name: &str| !excluded.iter().any(|excluded| excluded == name);
        let mut checks = vec![Check::new("serving", self.serving())];
        if wanted("data_dir") {
            checks.push(Check::new("data_dir", self.disk().await));
        }
        if let Some(journal) = &self.journal {
            if wanted("journal") {
                checks.push(Check::new("journal", journal.fault().map_or(Ok(()), Err)));
            }
            if wanted("quarantine") {
                checks.push(Check::new("quarantine", quarantine(journal)).optional());
            }
        }
        if let Some(server) = self.mlflow.as_ref().filter(|_| wanted("mlflow")) {
            checks.push(Check::new("mlflow", self.mlflow(server).await));
        }
        for state in self.forwarded.iter().filter(|_| wanted("forward")) {
            let takes = state.trouble().map_or(Ok(()), |reason| Err(format!("it does not accept payloads: {reason}")));
            checks.push(Check::new("forward", takes).optional().of(state.name()));
        }
        for status in self.kafka.groups.iter().filter(|_| wanted("kafka")) {
            let check = Check::new("kafka", status.now().trouble.map_or(Ok(()), Err));
            let check = if self.kafka.required { check } else { check.optional() };
            checks.push(check.of(&format!("group {}", status.group())));
        }
        Report { ready: checks.iter().all(|check| check.ok || !check.required), checks }
    }

    fn serving(&self) -> Result<(), String> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err("the gateway is stopping".to_owned());
        }
        if self.bridge.has_stopped() { Err("the translator has stopped; see the log".to_owned()) } else { Ok(()) }
    }

    async fn disk(&self) -> Result<(), String> {
        let mut known = self.disk.lock().await;
        if let Some((_, result)) = known.as_ref().filter(|(at, _)| at.elapsed() < DISK_GOOD_FOR) {
            return result.clone();
        }
        let folder = self.data_dir.clone();
        let tried = tokio::task::spawn_blocking(move || write_something(&folder)).await;
        let result = tried.unwrap_or_else(|error| Err(error.to_string()));
        *known = Some((Instant::now(), result.clone()));
        result
    }

    async fn mlflow(&self, server: &Mutex<MlflowServer>) -> Result<(), String> {
        // A caller that waited for the lock finds the result of the previous one.
        let server = server.lock().await;
        if let Some(answers) = self.reachability.recent() {
            return answers;
        }
        let (method, path) = ("GET".to_owned(), "version".to_owned());
        let request = Request { id: 0, method, path, headers: Vec::new(), body: Vec::new(), timeout: TIMEOUT };
        self.reachability.record(&server.perform(request).await);
        let strange = || Err("the answer is not from MLflow; check the tracking URI".to_owned());
        self.reachability.recent().unwrap_or_else(strange)
    }
}

fn quarantine(journal: &Journal) -> Result<(), String> {
    match journal.pending_quarantine() {
        0 => Ok(()),
        payloads => Err(format!(
            "{payloads} payloads wait in the journal for space in the quarantine (--quarantine-max-bytes), unless its disk \
             fails: `openinference-mlflow quarantine drop` or `quarantine replay` makes room"
        )),
    }
}

/// Writes a block to an unnamed file.
fn write_something(folder: &Path) -> Result<(), String> {
    let write = || {
        std::fs::create_dir_all(folder)?;
        tempfile::tempfile_in(folder)?.write_all(&[0; 4096])
    };
    write().map_err(|error: std::io::Error| format!("failed to write to {}: {error}", folder.display()))
}

// === impl Check ===

impl Check {
    fn new(name: &'static str, result: Result<(), String>) -> Self {
        Self { name, destination: None, ok: result.is_ok(), required: true, reason: result.err() }
    }

    fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    fn of(self, destination: &str) -> Self {
        Self { destination: Some(destination.to_owned()), ..self }
    }
}
