//! Assembles a bridge from the settings: translator, driver, exporter and quarantine.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use directories::ProjectDirs;

use crate::driver::{self, Backlog, Handle, StartError};
use crate::exporter::local::LocalFolder;
use crate::exporter::mlflow::{ClientError, MlflowServer};
use crate::quarantine::Quarantine;
use crate::settings::{Delivery, Destination, UnityCatalog};
use crate::telemetry::{Metrics, ObservedBridges, ObservedDestination};
use crate::wasm::{LoadError, MemoryLimit, Translator};

/// The default of `max_bytes` in `wit/translator.wit`: the most bytes the translator holds.
const DEFAULT_MAX_BYTES: u64 = 256 << 20;

/// A bridge cannot be started.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum BridgeError {
    /// The translator cannot be loaded.
    Load(#[from] LoadError),
    /// The translator refuses its settings, or does not start.
    Start(#[from] StartError),
    /// The settings do not allow a client for this server.
    Client(#[from] ClientError),
}

/// Where a bridge stores data.
#[derive(Debug, Clone)]
pub struct BridgeStorage<'a> {
    /// The folder that contains the local folder.
    pub data_dir: &'a Path,
    /// Stores what MLflow refuses.
    pub quarantine: Quarantine,
    /// The journal: the bridge delivers its entries, and new payloads are written to it before they are accepted. None:
    /// payloads are held in memory.
    pub backlog: Option<Backlog>,
}

/// Starts a bridge. `max_payload` is the size of the largest payload in bytes. `on_trace` is called with the experiment's
/// name and the trace JSON for each trace that is written to the local folder. Must be called within a tokio runtime.
///
/// # Errors
/// The settings cannot be used, or the translator does not run on this machine.
pub fn start(
    translator: &Translator,
    delivery: &Delivery,
    max_payload: usize,
    storage: BridgeStorage<'_>,
    metrics: &Metrics,
    on_trace: impl Fn(&str, &[u8]) + Send + Sync + 'static,
) -> Result<Handle, BridgeError> {
    // Any number works, as long as other processes get another one.
    let seed = RandomState::new().hash_one(std::process::id());
    let held = delivery.tuning.max_bytes.unwrap_or(DEFAULT_MAX_BYTES);
    let limit = MemoryLimit::for_bridge(held, u64::try_from(max_payload).unwrap_or(u64::MAX));
    let bridges = ObservedBridges::new(translator.bridges(delivery.bridge_settings(seed), limit), metrics);
    let BridgeStorage { data_dir, quarantine, backlog } = storage;
    let waiting = backlog.clone();
    let (handle, name) = match &delivery.destination {
        Destination::Server(server) | Destination::UnityCatalog(UnityCatalog { workspace: server, .. }) => {
            let mlflow = ObservedDestination::new(MlflowServer::new(server)?, "mlflow", metrics);
            (driver::start(bridges, mlflow, quarantine, backlog)?, "mlflow")
        }
        Destination::Local => {
            let folder = ObservedDestination::new(LocalFolder::new(data_dir, on_trace), "folder", metrics);
            (driver::start(bridges, folder, quarantine, backlog)?, "folder")
        }
    };
    let queue = handle.queue().clone();
    metrics.watch(name, move || match &waiting {
        // Other consumers and the quarantine change it as well.
        Some(backlog) => backlog.waiting(queue.now()),
        None => queue.now(),
    });
    Ok(handle)
}

/// Loads the translator. Uses the compiled code that an earlier start left in the user's cache folder, if any.
///
/// # Errors
/// The translator does not run on this machine.
pub fn load_translator() -> Result<Translator, LoadError> {
    let user = ProjectDirs::from("", "", "openinference-mlflow");
    Translator::load(user.as_ref().map(ProjectDirs::cache_dir))
}
