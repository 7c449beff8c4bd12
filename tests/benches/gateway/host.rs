//! The binary, serving, as a process of its own: on chosen cores, with its memory and its start time.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) struct Host {
    /// Seconds from the start of the process until both ports take connections.
    pub(crate) started_in: f64,
    http: u16,
    process: Child,
    _data_dir: TempDir,
}

impl Host {
    /// Serves into an MLflow on this port; `cores` as `taskset -c` takes them.
    pub(crate) fn start(mlflow: u16, flags: &[&str], cores: Option<&str>) -> Self {
        let data_dir = tempfile::tempdir().unwrap();
        let (grpc, http) = (free_port(), free_port());
        let mut command = match cores {
            None => Command::new(binary()),
            Some(cores) => {
                let mut command = Command::new("taskset");
                command.args(["-c", cores]).arg(binary());
                command
            }
        };
        command.args(["serve", "--admin-listen=off", "--tracking-uri", &format!("http://127.0.0.1:{mlflow}")]);
        command.args(["--grpc-listen", &format!("127.0.0.1:{grpc}"), "--http-listen", &format!("127.0.0.1:{http}")]);
        command.args(flags).arg("--data-dir").arg(data_dir.path()).env("RUST_LOG", "warn");
        let start = Instant::now();
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while [grpc, http].iter().any(|port| TcpStream::connect(("127.0.0.1", *port)).is_err()) {
            assert!(start.elapsed() < Duration::from_secs(60), "the host did not start");
            std::thread::sleep(Duration::from_millis(1));
        }
        Self { started_in: start.elapsed().as_secs_f64(), http, process, _data_dir: data_dir }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1/traces", self.http)
    }

    /// What the system says it holds in memory; 0 where it does not say it so.
    pub(crate) fn resident_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
    }
}

impl Drop for Host {
    /// Stops it by its process id.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether processes can be held to one of several cores here.
pub(crate) fn can_pin() -> bool {
    let pinned = Command::new("taskset").args(["-c", "0,1", "true"]).stderr(Stdio::null()).status();
    pinned.is_ok_and(|status| status.success())
        && std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1)
}

fn binary() -> PathBuf {
    std::env::var_os("OPENINFERENCE_MLFLOW_BINARY").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/release/openinference-mlflow"),
        PathBuf::from,
    )
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
