//! The program itself, as a process.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::until;

pub(crate) struct Program {
    child: Child,
    said: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

/// `openinference-mlflow` with these arguments, without the settings of the environment.
pub(crate) fn command(data_dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_openinference-mlflow"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("MLFLOW_") || name.starts_with("OPENINFERENCE_MLFLOW_") || name.starts_with("RUST_LOG") {
            command.env_remove(name);
        }
    }
    // Neither reads nor writes the user's own folders; the translator is compiled once for all tests.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    command.env("HOME", data_dir).env("XDG_CONFIG_HOME", data_dir).env("XDG_CACHE_HOME", cache);
    command.args(arguments).arg("--data-dir").arg(data_dir).stdin(Stdio::null());
    command
}

impl Program {
    /// `serve` on free ports.
    pub(crate) fn serve(data_dir: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = command(data_dir, &[&["serve"], arguments].concat());
        // Flags among the arguments win over these.
        for name in ["GRPC_LISTEN", "HTTP_LISTEN", "ADMIN_LISTEN"] {
            command.env(format!("OPENINFERENCE_MLFLOW_{name}"), "127.0.0.1:0");
        }
        command.envs(environment.iter().copied());
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (heard, stderr) = (Arc::clone(&said), child.stderr.take().unwrap());
        let reader = thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                *heard.lock().unwrap() += &(line.unwrap() + "\n");
            }
        });
        Self { child, said, reader: Some(reader) }
    }

    /// What it has said until now.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Where it receives OTLP/HTTP.
    pub(crate) async fn url(&self) -> String {
        self.announced("OTLP/HTTP at ").await
    }

    /// The URL of a path for operators.
    pub(crate) async fn admin(&self, path: &str) -> String {
        self.announced("metrics    at ").await.replace("/metrics", path)
    }

    async fn announced(&self, before: &str) -> String {
        let url = || {
            let said = self.said();
            let (_, rest) = said.split_once(before)?;
            rest.split_once('\n').map(|(url, _)| url.to_owned())
        };
        until("it says where it listens", || async { url().is_some() }).await;
        url().unwrap()
    }

    /// Where it receives OTLP/gRPC: IP and port.
    pub(crate) async fn grpc_address(&self) -> String {
        let said = self.announced("OTLP/gRPC at ").await;
        said.split(',').next().unwrap().to_owned()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// From now on no file of the program may grow beyond so many bytes; none: any may. (util-linux)
    #[cfg(target_os = "linux")]
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let (pid, limit) = (self.child.id().to_string(), format!("--fsize={limit}:unlimited"));
        assert!(Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap().success());
    }

    pub(crate) fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end; returns how it ended and all that it said.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        (status, self.said())
    }
}

/// The status and the text of what is there.
pub(crate) async fn get(url: &str) -> (u16, String) {
    let response = client().get(url).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// The status of the answer to an export.
pub(crate) async fn post(url: &str, payload: Vec<u8>) -> u16 {
    let request = client().post(url).header("content-type", "application/x-protobuf").body(payload);
    request.send().await.unwrap().status().as_u16()
}

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().tls_certs_only([]).build().unwrap()
}

impl Drop for Program {
    fn drop(&mut self) {
        // Does nothing to a process that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
