//! Puts a bridge together as the settings say: the translator, where it delivers to, and what it sets aside.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use directories::ProjectDirs;

use crate::driver::{self, Backlog, Handle, StartError};
use crate::exporter::local::LocalFolder;
use crate::exporter::mlflow::{ClientError, MlflowServer};
use crate::quarantine::SetAsideFolder;
use crate::settings::{Delivery, Destination};
use crate::telemetry::{Metrics, ObservedBridges, ObservedDestination};
use crate::wasm::{LoadError, MemoryLimit, Translator};

/// What the translator holds at most when nothing else is set: `max_bytes` in `wit/translator.wit`.
const DEFAULT_HELD: u64 = 256 << 20;

/// A bridge cannot be put together.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum BridgeError {
    /// The translator cannot be loaded.
    Load(#[from] LoadError),
    /// The translator refuses its settings, or does not start.
    Start(#[from] StartError),
    /// The server cannot be spoken to with these settings.
    Client(#[from] ClientError),
}

/// Where a bridge keeps things.
#[derive(Debug, Clone)]
pub struct Keeping<'a> {
    /// Has the local folder.
    pub data_dir: &'a Path,
    /// What MLflow will not take.
    pub set_aside: SetAsideFolder,
    /// What it holds is delivered, and new payloads are written to its journal before they are accepted. None: payloads
    /// are held in memory.
    pub backlog: Option<Backlog>,
}

/// Start a bridge. `max_payload` is the size of the largest payload that it will be offered, in bytes; `on_trace` is told of each
/// trace that is written to the local folder, with its experiment's name; `metrics` count what is done. Must be called
/// within a tokio runtime.
///
/// # Errors
/// What is wrong with the settings, or with this machine.
pub fn start(
    translator: &Translator,
    delivery: &Delivery,
    max_payload: usize,
    keeping: Keeping<'_>,
    metrics: &Metrics,
    on_trace: impl Fn(&str, &[u8]) + Send + Sync + 'static,
) -> Result<Handle, BridgeError> {
    // Any number will do, if only it is another one in another process.
    let seed = RandomState::new().hash_one(std::process::id());
    let held = delivery.tuning.max_bytes.unwrap_or(DEFAULT_HELD);
    let limit = MemoryLimit::for_bridge(held, u64::try_from(max_payload).unwrap_or(u64::MAX));
    let bridges = ObservedBridges::new(translator.bridges(delivery.bridge_settings(seed), limit), metrics);
    let Keeping { data_dir, set_aside, backlog } = keeping;
    let waiting = backlog.clone();
    let (handle, name) = match &delivery.destination {
        Destination::Server(server) => {
            let mlflow = ObservedDestination::new(MlflowServer::new(server)?, "mlflow", metrics);
            (driver::start(bridges, mlflow, set_aside, backlog)?, "mlflow")
        }
        Destination::Local => {
            let folder = ObservedDestination::new(LocalFolder::new(data_dir, on_trace), "folder", metrics);
            (driver::start(bridges, folder, set_aside, backlog)?, "folder")
        }
    };
    let queue = handle.queue().clone();
    metrics.watch(name, move || match &waiting {
        // It changes without the bridge, too.
        Some(backlog) => backlog.waiting(queue.now()),
        None => queue.now(),
    });
    Ok(handle)
}

/// Load the translator, from compiled code that an earlier start left in the user's cache folder if there is any.
///
/// # Errors
/// The translator does not run on this machine.
pub fn load_translator() -> Result<Translator, LoadError> {
    let user = ProjectDirs::from("", "", "openinference-mlflow");
    Translator::load(user.as_ref().map(ProjectDirs::cache_dir))
}
