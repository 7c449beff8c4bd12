//! Reloads values from files when they change.
//!
//! Guarantees: a file is read once it has not changed for a moment, so never half-written; a file that cannot be used changes
//! nothing and is logged; holders of the earlier value keep it.
//!
//! Polls the files instead of watching them: this also works for mounted secrets, whose folder is replaced, and for network
//! file systems.

use std::fmt::Display;
use std::fs::Metadata;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// The polling interval.
const INTERVAL: Duration = Duration::from_secs(1);

/// The newest usable value. Cheap to clone.
#[derive(Debug)]
pub(crate) struct Reloaded<T>(watch::Receiver<Arc<T>>);

/// Identifies the state of a file. None: it does not exist.
type Stamp = Option<(u64, SystemTime, Option<SystemTime>)>;

impl<T> Clone for Reloaded<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + Sync + 'static> Reloaded<T> {
    /// Loads the value, and reloads it when one of the files changes, until the last clone is dropped. `what` names it in the
    /// log. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The first load fails.
    pub(crate) fn start<E, L>(what: &'static str, files: Vec<PathBuf>, load: L) -> Result<Self, E>
    where
        E: Display + Send + 'static,
        L: Fn() -> Result<T, E> + Send + Sync + 'static,
    {
        let before = stamps(&files);
        let (sender, receiver) = watch::channel(Arc::new(load()?));
        tokio::spawn(follow(what, files, before, Arc::new(load), sender));
        Ok(Self(receiver))
    }

    /// The newest usable value.
    pub(crate) fn now(&self) -> Arc<T> {
        Arc::clone(&self.0.borrow())
    }
}

async fn follow<T, E, L>(
    what: &'static str,
    files: Vec<PathBuf>,
    mut loaded: Vec<Stamp>,
    load: Arc<L>,
    sender: watch::Sender<Arc<T>>,
) where
    T: Send + Sync + 'static,
    E: Display + Send + 'static,
    L: Fn() -> Result<T, E> + Send + Sync + 'static,
{
    let mut seen = loaded.clone();
    loop {
        tokio::select! {
            () = sleep(INTERVAL) => {}
            () = sender.closed() => return,
        }
        let now = stamps(&files);
        if now != loaded && now == seen {
            loaded.clone_from(&now);
            let load = Arc::clone(&load);
            match spawn_blocking(move || load()).await {
                Ok(Ok(value)) => {
                    sender.send_replace(Arc::new(value));
                    tracing::info!("reloaded {what}");
                }
                Ok(Err(error)) => {
                    tracing::warn!("failed to reload {what}; the previous one stays in use: {error}");
                }
                Err(error) => tracing::error!("failed to read {what}: {error}"),
            }
        }
        seen = now;
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    files.iter().map(|file| std::fs::metadata(file).ok().and_then(|metadata| stamp(&metadata))).collect()
}

fn stamp(metadata: &Metadata) -> Stamp {
    Some((metadata.len(), metadata.modified().ok()?, metadata.created().ok()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn number(path: &std::path::Path) -> Result<u32, String> {
        fs::read_to_string(path).map_err(|error| error.to_string())?.parse().map_err(|_| "no number".to_owned())
    }

    async fn until(number: &Reloaded<u32>, expected: u32) {
        let same = async {
            while *number.now() != expected {
                sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(60), same).await.is_ok(), "never became {expected}");
    }

    #[tokio::test]
    async fn given_a_file_that_changes_then_the_new_value_is_in_use_and_a_bad_or_missing_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("number");
        fs::write(&path, "1").unwrap();
        let source = path.clone();
        let value = Reloaded::start("the number", vec![path.clone()], move || number(&source)).unwrap();
        let held = value.now();
        fs::write(&path, "not a number").unwrap();
        sleep(INTERVAL * 3).await;
        assert_eq!(*value.now(), 1);
        fs::remove_file(&path).unwrap();
        sleep(INTERVAL * 3).await;
        assert_eq!(*value.now(), 1);
        fs::write(dir.path().join("new"), "22").unwrap();
        fs::rename(dir.path().join("new"), &path).unwrap();
        until(&value, 22).await;
        assert_eq!(*held, 1);
    }

    #[tokio::test]
    async fn given_a_bad_file_at_the_start_then_that_is_an_error() {
        let missing = PathBuf::from("/nowhere/number");
        let source = missing.clone();
        assert!(Reloaded::start("the number", vec![missing], move || number(&source)).is_err());
    }
}
