//! The local folder: one file a trace, `<data-dir>/traces/<experiment>/tr-<hex>.json`, in MLflow's own trace JSON.
//!
//! It answers the requests for the translator's `local` destination:
//!
//! | request | answer |
//! |---|---|
//! | `GET traces/tr-<hex>.json` | 200 and the file, from whichever experiment's folder has it, or 404 |
//! | `PUT traces/<experiment>/tr-<hex>.json` | 200: the file holds the body, and is on disk |
//! | either, and the disk fails | 503: the translator retries; the reason is logged once per outage |
//! | anything else | 400 |
//!
//! Guarantees: a file is replaced atomically, even if the machine crashes; no request reads or writes outside the folder;
//! only the user can read the files, because they contain prompts and completions.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use percent_encoding::percent_decode_str;
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

use super::Destination;
use crate::wasm::{Answer, Request, Response};

/// Called for each file that was written, with the experiment's name and the trace JSON.
pub type Observer = dyn Fn(&str, &[u8]) + Send + Sync;

/// The folder of traces below a data directory.
#[derive(Clone)]
pub struct LocalFolder {
    inner: Arc<Inner>,
}

struct Inner {
    traces: PathBuf,
    observer: Box<Observer>,
    failing: AtomicBool,
}

/// A parsed request.
#[derive(Debug, PartialEq, Eq)]
enum LocalRequest<'a> {
    Get { file: &'a str },
    Put { experiment: &'a str, file: &'a str },
}

// === impl LocalFolder ===

impl LocalFolder {
    /// The folder in this data directory. It is created with the first trace.
    pub fn new(data_dir: &Path, observer: impl Fn(&str, &[u8]) + Send + Sync + 'static) -> Self {
        let inner =
            Inner { traces: data_dir.join("traces"), observer: Box::new(observer), failing: AtomicBool::new(false) };
        Self { inner: Arc::new(inner) }
    }
}

impl Destination for LocalFolder {
    async fn perform(&self, request: Request) -> Answer {
        let inner = Arc::clone(&self.inner);
        let performed = spawn_blocking(move || inner.perform(&request));
        performed.await.map_or_else(|error| Answer::NoAnswer(error.to_string()), Answer::Response)
    }
}

// === impl Inner ===

impl Inner {
    fn perform(&self, request: &Request) -> Response {
        let done = match parse(&request.method, &request.path) {
            Some(LocalRequest::Get { file }) => self.read(file),
            Some(LocalRequest::Put { experiment, file }) => self.write(experiment, file, &request.body),
            None => return answer(400, b"not a path of the local folder".to_vec()),
        };
        match done {
            Ok(response) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the local folder works again");
                }
                response
            }
            Err(error) => {
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::error!(
                        "failed to use the local folder {}: {error}; traces wait in memory until it works again",
                        self.traces.display()
                    );
                }
                answer(503, error.to_string().into_bytes())
            }
        }
    }

    fn read(&self, file: &str) -> io::Result<Response> {
        for experiment in subfolders(&self.traces)? {
            match fs::read(experiment.join(file)) {
                Ok(trace) => return Ok(answer(200, trace)),
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(answer(404, Vec::new()))
    }

    fn write(&self, experiment: &str, file: &str, trace: &[u8]) -> io::Result<Response> {
        let folder = self.traces.join(experiment);
        fs::create_dir_all(&folder)?;
        // `replay` and readers of the folder ignore this name, in case the machine stops now.
        let mut written = NamedTempFile::with_prefix_in(".writing-", &folder)?;
        written.write_all(trace)?;
        written.as_file().sync_all()?;
        written.persist(folder.join(file))?;
        sync_folder(&folder)?;
        (self.observer)(&experiment_of_folder(experiment), trace);
        Ok(answer(200, Vec::new()))
    }
}

/// The experiment of a folder: the folder's name, percent-decoded, because not every experiment name is a valid folder name.
pub fn experiment_of_folder(folder: &str) -> String {
    percent_decode_str(folder).decode_utf8_lossy().into_owned()
}

/// The id in the name of a trace's file: 32 lower-case hexadecimal digits.
pub fn trace_of_file(file: &str) -> Option<&str> {
    let id = file.strip_prefix("tr-")?.strip_suffix(".json")?;
    (id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))).then_some(id)
}

fn parse<'a>(method: &str, path: &'a str) -> Option<LocalRequest<'a>> {
    let parts: Vec<_> = path.split('/').collect();
    let request = match (method, parts.as_slice()) {
        ("GET", &["traces", file]) => LocalRequest::Get { file },
        ("PUT", &["traces", experiment, file]) if is_valid_folder_name(experiment) => {
            LocalRequest::Put { experiment, file }
        }
        _ => return None,
    };
    let (LocalRequest::Get { file } | LocalRequest::Put { file, .. }) = request;
    trace_of_file(file).map(|_| request)
}

/// Whether the name is a single path component on every system, not hidden, and not a way out of the folder.
fn is_valid_folder_name(name: &str) -> bool {
    let forbidden = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':');
    !name.is_empty() && name.len() <= 255 && !name.starts_with('.') && !name.contains(forbidden)
}

fn subfolders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Whether the path does not exist, or a parent is not a folder.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Makes a rename last. Only Unix can do, and needs, this.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn answer(status: u16, body: Vec<u8>) -> Response {
    Response { status, headers: Vec::new(), body }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const ID: &str = "0af7651916cd43dd8448eb211c80319c";

    fn folder(data_dir: &Path) -> LocalFolder {
        LocalFolder::new(data_dir, |_, _| {})
    }

    async fn ask(folder: &LocalFolder, method: &str, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let request = Request {
            id: 1,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: body.to_vec(),
            timeout: 1000,
        };
        match folder.perform(request).await {
            Answer::Response(response) => (response.status, response.body),
            Answer::NoAnswer(reason) => panic!("no answer: {reason}"),
        }
    }

    #[tokio::test]
    async fn given_a_trace_that_was_put_then_it_is_found_whatever_its_experiment() {
        let dir = tempfile::tempdir().unwrap();
        let folder = folder(dir.path());
        let get = format!("traces/tr-{ID}.json");
        assert_eq!(ask(&folder, "GET", &get, b"").await, (404, Vec::new()));

        assert_eq!(ask(&folder, "PUT", &format!("traces/my agent/tr-{ID}.json"), b"{}").await.0, 200);
        fs::write(dir.path().join("traces/a stray file"), "").unwrap();

        assert_eq!(ask(&folder, "GET", &get, b"").await, (200, b"{}".to_vec()));
        assert_eq!(fs::read(dir.path().join(format!("traces/my agent/tr-{ID}.json"))).unwrap(), b"{}");
    }

    #[tokio::test]
    async fn given_a_trace_that_is_put_again_then_the_file_is_replaced_and_nothing_else_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let folder = folder(dir.path());
        for body in [&b"a longer first version"[..], b"second"] {
            assert_eq!(ask(&folder, "PUT", &format!("traces/e/tr-{ID}.json"), body).await.0, 200);
        }
        let files: Vec<_> =
            fs::read_dir(dir.path().join("traces/e")).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(files, [dir.path().join(format!("traces/e/tr-{ID}.json"))]);
        assert_eq!(fs::read(&files[0]).unwrap(), b"second");
    }

    #[tokio::test]
    async fn given_a_path_that_leads_elsewhere_then_it_is_refused_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let folder = folder(dir.path());
        let file = format!("tr-{ID}.json");
        for path in [
            format!("traces/../{file}"),
            format!("traces/./{file}"),
            format!("traces/.hidden/{file}"),
            format!("traces//{file}"),
            format!("traces/a/b/{file}"),
            format!("traces/a\\b/{file}"),
            format!("traces/c:/{file}"),
            format!("traces/nul\0/{file}"),
            format!("traces/{}/{file}", "x".repeat(256)),
            format!("/traces/a/{file}"),
            format!("elsewhere/a/{file}"),
            "traces/a/tr-..json".to_owned(),
            "traces/a/notes.json".to_owned(),
            format!("traces/a/tr-{}.json", ID.to_uppercase()),
        ] {
            assert_eq!(ask(&folder, "PUT", &path, b"{}").await.0, 400, "{path}");
        }
        assert_eq!(ask(&folder, "GET", "traces/../secret", b"").await.0, 400);
        assert_eq!(ask(&folder, "DELETE", &format!("traces/{file}"), b"").await.0, 400);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn given_a_disk_that_fails_then_the_translator_is_asked_to_try_again_and_can() {
        let dir = tempfile::tempdir().unwrap();
        let folder = folder(dir.path());
        let put = format!("traces/e/tr-{ID}.json");
        fs::write(dir.path().join("traces"), "a file where the folder should be").unwrap();
        assert_eq!(ask(&folder, "PUT", &put, b"{}").await.0, 503);

        fs::remove_file(dir.path().join("traces")).unwrap();
        assert_eq!(ask(&folder, "PUT", &put, b"{}").await.0, 200);
    }

    #[tokio::test]
    async fn given_an_observer_then_it_is_told_the_experiment_by_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let written = Arc::new(Mutex::new(Vec::new()));
        let observed = Arc::clone(&written);
        let observer = move |experiment: &str, trace: &[u8]| {
            observed.lock().unwrap().push((experiment.to_owned(), trace.to_vec()));
        };
        let folder = LocalFolder::new(dir.path(), observer);
        ask(&folder, "PUT", &format!("traces/team%2Fagent/tr-{ID}.json"), b"{}").await;
        assert_eq!(*written.lock().unwrap(), [("team/agent".to_owned(), b"{}".to_vec())]);
    }
}
