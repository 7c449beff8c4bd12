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
    admin: u16,
    process: Child,
    /// None when it was killed, and somebody else goes on with it.
    data_dir: Option<TempDir>,
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
        let start = Instant::now();
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while [grpc, http].iter().any(|port| TcpStream::connect(("127.0.0.1", *port)).is_err()) {
            assert!(start.elapsed() < Duration::from_secs(60), "the host did not start");
            std::thread::sleep(Duration::from_millis(1));
        }
        Self { started_in: start.elapsed().as_secs_f64(), http, admin, process, data_dir: Some(data_dir) }
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

impl Host {
    /// Its time on all cores since its start; 0 where the system does not say it so.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap_or_default();
        // The program's name, in parentheses, may hold anything; user and system time are the 12th and 13th after it.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        const TICKS_PER_SECOND: f64 = 100.0;
        fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
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
    pub(crate) fn kill(mut self) -> TempDir {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.data_dir.take().unwrap()
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

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
