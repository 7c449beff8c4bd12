//! rotel, a small OpenTelemetry collector in Rust: it takes OTLP and passes it on, without a disk.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{Process, free_port};

pub(crate) struct Rotel {
    pub(crate) process: Process,
    http: u16,
}

impl Rotel {
    /// Passes traces on, over OTLP/HTTP, to a server on this port.
    pub(crate) fn start(sink: u16) -> Self {
        let (grpc, http) = (free_port(), free_port());
        let mut command = Command::new(binary());
        command.args(["start", "--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")]);
        command.args(["--otlp-http-endpoint", &format!("127.0.0.1:{http}")]);
        command.args(["--exporter", "otlp", "--otlp-exporter-protocol", "http"]);
        // It compresses all the same (0.0.1a15); `serve` does not.
        command.args(["--otlp-exporter-compression", "none"]);
        command.args(["--otlp-exporter-endpoint", &format!("http://127.0.0.1:{sink}")]);
        let (process, _) = Process::start(&mut command, &[http]);
        Self { process, http }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1/traces", self.http)
    }
}

/// The executable that `make setup-bench` unpacks from the wheel.
fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.venv-bench/bin/rotel-agent")
}
