//! Whether the host can do its work now: take payloads, keep them, and pass them on.
//!
//! Whoever balances load by it must not take a host out that still takes payloads and keeps them: a destination of
//! `--forward` that is dead, or a quarantine without room, is said, and does not decide.
//!
//! Each check runs at most every few seconds and once at a time, however often it is asked for.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::reach::Reach;
use crate::driver::Handle;
use crate::exporter::Destination as _;
use crate::exporter::mlflow::MlflowServer;
use crate::forwarder::State;
use crate::journal::Journal;
use crate::wasm::Request;

/// How long the result of writing to the disk is good for.
const DISK_GOOD_FOR: Duration = Duration::from_secs(5);
/// How long MLflow may take to say its version, in milliseconds: less than probes usually wait.
const TIMEOUT: u32 = 3_000;

/// What the checks need.
#[derive(Debug)]
pub struct Readiness {
    bridge: Handle,
    data_dir: PathBuf,
    disk: Mutex<Option<(Instant, Result<(), String>)>>,
    mlflow: Option<Mutex<MlflowServer>>,
    reach: Reach,
    journal: Option<Journal>,
    forwarded: Vec<State>,
    stopping: AtomicBool,
}

/// The body of `/readyz`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Whether all checks are well that decide.
    pub(super) ready: bool,
    checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    /// Which of them, when there are several of one name.
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    ok: bool,
    /// Whether the host is not ready without it.
    required: bool,
    /// What is wrong; absent when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

// === impl Readiness ===

impl Readiness {
    /// Checks of this bridge, this folder, and this server, journal and other destinations if there are any.
    pub fn new(
        bridge: Handle,
        data_dir: &Path,
        mlflow: Option<MlflowServer>,
        reach: Reach,
        journal: Option<Journal>,
        forwarded: Vec<State>,
    ) -> Self {
        Self {
            bridge,
            data_dir: data_dir.to_path_buf(),
            disk: Mutex::default(),
            mlflow: mlflow.map(Mutex::new),
            reach,
            journal,
            forwarded,
            stopping: AtomicBool::new(false),
        }
    }

    /// Nothing is ready from here on.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Run the checks that are not excluded.
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
            let takes = state.trouble().map_or(Ok(()), |reason| Err(format!("it does not take payloads: {reason}")));
            checks.push(Check::new("forward", takes).optional().of(state.name()));
        }
        Report { ready: checks.iter().all(|check| check.ok || !check.required), checks }
    }

    fn serving(&self) -> Result<(), String> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err("the program is stopping".to_owned());
        }
        if self.bridge.has_stopped() { Err("the translator has stopped; the log says why".to_owned()) } else { Ok(()) }
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
        // Whoever waits for the lock finds the evidence of whoever had it.
        let server = server.lock().await;
        if let Some(answers) = self.reach.lately() {
            return answers;
        }
        let (method, path) = ("GET".to_owned(), "version".to_owned());
        let request = Request { id: 0, method, path, headers: Vec::new(), body: Vec::new(), timeout: TIMEOUT };
        self.reach.note(&server.perform(request).await);
        let strange = || Err("it answers as MLflow does not: is that its address?".to_owned());
        self.reach.lately().unwrap_or_else(strange)
    }
}

fn quarantine(journal: &Journal) -> Result<(), String> {
    match journal.held_back() {
        0 => Ok(()),
        payloads => Err(format!(
            "{payloads} payloads that should be set aside wait in the journal: `openinference-mlflow quarantine drop` and \
             `quarantine replay` make room (--quarantine-max-bytes), unless the disk fails"
        )),
    }
}

/// Writes a block to a file that nobody will see.
fn write_something(folder: &Path) -> Result<(), String> {
    let write = || {
        std::fs::create_dir_all(folder)?;
        tempfile::tempfile_in(folder)?.write_all(&[0; 4096])
    };
    write().map_err(|error: std::io::Error| format!("{} cannot be written: {error}", folder.display()))
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
