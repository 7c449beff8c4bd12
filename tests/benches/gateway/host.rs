//! The binary, serving, as a process of its own: on chosen cores, with its memory and its start time.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::process::{Process, free_port};

pub(crate) struct Host {
    /// Seconds from the start of the process until both ports take connections.
    pub(crate) started_in: f64,
    pub(crate) process: Process,
    http: u16,
    admin: u16,
    data_dir: TempDir,
}

impl Host {
    /// Serves into an MLflow on this port; `cores` as `taskset -c` takes them.
    pub(crate) fn start(mlflow: u16, flags: &[&str], cores: Option<&str>) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), mlflow, flags, cores)
    }

    /// The same on a folder that another one has left.
    pub(crate) fn start_in(data_dir: TempDir, mlflow: u16, flags: &[&str], cores: Option<&str>) -> Self {
        let (grpc, http, admin) = (free_port(), free_port(), free_port());
        let mut command = match cores {
            None => Command::new(binary()),
            Some(cores) => {
                let mut command = Command::new("taskset");
                command.args(["-c", cores]).arg(binary());
                command
            }
        };
        command.args(["serve", "--tracking-uri", &format!("http://127.0.0.1:{mlflow}")]);
        command.args(["--admin-listen", &format!("127.0.0.1:{admin}")]);
        command.args(["--grpc-listen", &format!("127.0.0.1:{grpc}"), "--http-listen", &format!("127.0.0.1:{http}")]);
        command.args(flags).arg("--data-dir").arg(data_dir.path()).env("RUST_LOG", "warn");
        let (process, started_in) = Process::start(&mut command, &[grpc, http]);
        Self { started_in, process, http, admin, data_dir }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1/traces", self.http)
    }

    /// How many requests MLflow has answered, by the host's own count.
    pub(crate) fn requests_to_mlflow(&self) -> f64 {
        let url = format!("http://127.0.0.1:{}/metrics", self.admin);
        let metrics = ureq::get(url).call().unwrap().body_mut().read_to_string().unwrap();
        let counts = metrics.lines().filter(|line| {
            line.starts_with("openinference_mlflow_request_duration_seconds_count{") && line.contains("\"mlflow\"")
        });
        counts.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Ends it without a word. Returns its data directory.
    pub(crate) fn kill(self) -> TempDir {
        self.data_dir
    }
}

/// Whether processes can be held to one of several cores here.
pub(crate) fn can_pin() -> bool {
    let pinned = Command::new("taskset").args(["-c", "0,1", "true"]).stderr(std::process::Stdio::null()).status();
    pinned.is_ok_and(|status| status.success())
        && std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1)
}

fn binary() -> PathBuf {
    std::env::var_os("OPENINFERENCE_MLFLOW_BINARY").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/release/openinference-mlflow"),
        PathBuf::from,
    )
}
