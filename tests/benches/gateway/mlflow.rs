//! A real MLflow server as somebody starts it who reads its quickstart, and a look into its database.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

const COUNT: &str = "import sqlite3, sys; \
    print(sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True, timeout=60).execute('select count(*) from spans').fetchone()[0])";

pub(crate) struct Server {
    pub(crate) port: u16,
    process: Child,
    folder: TempDir,
}

impl Server {
    /// Starts the server and waits until it answers.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(tools().join("mlflow"))
            .args(["server", "--host", "127.0.0.1", "--port", &port.to_string()])
            .args(["--backend-store-uri", &format!("sqlite:///{}", database(folder.path()).display())])
            .current_dir(folder.path())
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("mlflow does not start ({error}): run `make setup-python`"));
        let server = Self { port, process, folder };
        let start = Instant::now();
        while ureq::get(format!("http://127.0.0.1:{port}/health")).call().is_err() {
            assert!(start.elapsed() < Duration::from_secs(120), "MLflow did not start within two minutes");
            std::thread::sleep(Duration::from_millis(200));
        }
        server
    }

    /// Waits until it holds so many spans.
    pub(crate) fn wait_for_spans(&self, wanted: usize) {
        let start = Instant::now();
        loop {
            let held = self.spans();
            if held >= wanted {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(600), "MLflow holds {held} of {wanted} spans");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn spans(&self) -> usize {
        let counted =
            Command::new(tools().join("python")).args(["-c", COUNT]).arg(database(self.folder.path())).output();
        String::from_utf8(counted.unwrap().stdout).unwrap().trim().parse().unwrap_or_default()
    }
}

impl Drop for Server {
    /// Stops the server by its process id, its workers with it.
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

fn tools() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.venv/bin")
}

fn database(folder: &Path) -> PathBuf {
    folder.join("mlflow.db")
}
