//! A real MLflow server on a free loopback port, for as long as a test runs.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) struct Server {
    pub(crate) uri: String,
    process: Child,
    _folder: TempDir,
}

impl Server {
    /// Starts the server and waits until it answers.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let mlflow = std::env::var_os("OPENINFERENCE_MLFLOW_TEST_MLFLOW")
            .map_or_else(|| root.join(".venv/bin/mlflow"), PathBuf::from);
        let store = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
        let process = Command::new(&mlflow)
            .args(["server", "--host", "127.0.0.1", "--workers", "1", "--port", &port.to_string()])
            .args(["--backend-store-uri", &store])
            .current_dir(folder.path())
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let process =
            process.unwrap_or_else(|error| panic!("{} does not start ({error}): run `make setup`", mlflow.display()));
        let server = Self { uri: format!("http://127.0.0.1:{port}"), process, _folder: folder };
        let deadline = Instant::now() + Duration::from_secs(120);
        while ureq::get(format!("{}/health", server.uri)).call().is_err() {
            assert!(Instant::now() < deadline, "MLflow did not start within two minutes");
            std::thread::sleep(Duration::from_millis(200));
        }
        server
    }

    /// The traces of an experiment that a filter finds.
    pub(crate) fn search(&self, experiment: &str, filter: &str) -> Vec<Value> {
        let name = format!("{}/api/2.0/mlflow/experiments/get-by-name?experiment_name={experiment}", self.uri);
        let found: Value = serde_json::from_reader(ureq::get(name).call().unwrap().body_mut().as_reader()).unwrap();
        let id = &found["experiment"]["experiment_id"];
        let location = json!({"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": id}});
        let body = json!({"locations": [location], "filter": filter}).to_string();
        let search = ureq::post(format!("{}/api/3.0/mlflow/traces/search", self.uri));
        let mut answer = search.header("content-type", "application/json").send(body).unwrap();
        let found: Value = serde_json::from_reader(answer.body_mut().as_reader()).unwrap();
        found["traces"].as_array().cloned().unwrap_or_default()
    }
}

impl Drop for Server {
    /// Stops the server by its process id, its workers with it.
    fn drop(&mut self) {
        let id = self.process.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.process.wait();
    }
}
