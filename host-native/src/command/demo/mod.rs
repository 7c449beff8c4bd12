//! `demo`: serves on loopback, sends the bundled samples over OTLP/HTTP as an application would, and draws them.
//!
//! It is the whole way of `serve` without a tracking URI: sockets, receiver, translator, local folder. It needs nothing
//! else and ends when the traces are delivered.

mod samples;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};

use super::serve::Service;
use crate::exporter::Destination as _;
use crate::exporter::mlflow::MlflowServer;
use crate::settings::{
    Access, Admin, Credentials, Delivery, Destination, Limits, Receive, Server, Settings, TrackingUri, Trust, Tuning,
};
use crate::terminal;
use crate::wasm::{Answer, Request};

/// For one request, in milliseconds.
const TIMEOUT: u32 = 10_000;
/// For the delivery of everything.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn run(data_dir: &Path) -> anyhow::Result<ExitCode> {
    let settings = settings(data_dir);
    let service = Service::start(&settings, terminal::print).await?;
    let Some((grpc, http)) = service.addresses() else { bail!("the receivers have not started") };
    anstream::println!("Serving OTLP/gRPC on {grpc} and OTLP/HTTP on http://{http}/v1/traces.\n");
    let application = Application::new(http)?;
    for sample in samples::ALL {
        let payload = sample.fresh(SystemTime::now())?;
        anstream::println!("Sending {}.", sample.shows);
        application.export(payload).await?;
    }
    anstream::println!();
    let left = service.stop(PATIENCE).await?;
    if left.payloads > 0 {
        bail!("{} of the samples could not be kept in {}; the log says why", left.payloads, data_dir.display());
    }
    say_what_comes_next(data_dir)?;
    Ok(ExitCode::SUCCESS)
}

fn settings(data_dir: &Path) -> Settings {
    let max_body_bytes = 64 << 20;
    Settings {
        receive: Receive {
            listen: true,
            grpc_listen: free_address(4317),
            http_listen: free_address(4318),
            max_body_bytes,
            shutdown_timeout: PATIENCE,
        },
        kafka: None,
        limits: Limits::for_bodies(max_body_bytes),
        access: Access::default(),
        delivery: Delivery {
            destination: Destination::Local,
            experiment: None,
            run_id: None,
            workspace: None,
            openinference_only: false,
            quarantine_max_bytes: None,
            tuning: Tuning::default(),
        },
        admin: Admin::Off,
        // It delivers what it sends before it ends, and may run beside a `serve` that has the journal.
        forward: Vec::new(),
        journal: None,
        data_dir: data_dir.to_path_buf(),
    }
}

/// OTLP's own port on loopback, or any free port if it is taken.
fn free_address(port: u16) -> SocketAddr {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if TcpListener::bind(usual).is_ok() { usual } else { SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) }
}

/// Every command can be pasted into a shell as it is: the program need not be on the PATH.
fn say_what_comes_next(data_dir: &Path) -> anyhow::Result<()> {
    let program = quoted(&std::env::current_exe()?)?;
    let folder = std::path::absolute(data_dir)?.join("traces");
    anstream::println!(
        "The traces are kept in {}, one file each.\n\n\
         To send them to MLflow:\n  \
           {program} replay {} --tracking-uri http://127.0.0.1:5000\n\
         To serve in front of MLflow from now on:\n  \
           {program} serve --tracking-uri http://127.0.0.1:5000 --experiment my-agent\n\
         To point an instrumented application at it:\n  \
           export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        folder.display(),
        quoted(&folder)?,
    );
    Ok(())
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> anyhow::Result<String> {
    Ok(shlex::try_quote(&path.to_string_lossy())?.into_owned())
}

/// An application that exports its spans.
struct Application {
    exporter: MlflowServer,
}

impl Application {
    fn new(endpoint: SocketAddr) -> anyhow::Result<Self> {
        let (uri, _) = TrackingUri::parse(&format!("http://{endpoint}"))?;
        let server = Server { uri, credentials: Credentials::None, trust: Trust::default() };
        Ok(Self { exporter: MlflowServer::new(&server)? })
    }

    async fn export(&self, payload: Vec<u8>) -> anyhow::Result<()> {
        let request = Request {
            id: 0,
            method: "POST".to_owned(),
            path: "v1/traces".to_owned(),
            headers: vec![("content-type".to_owned(), "application/x-protobuf".to_owned())],
            body: payload,
            timeout: TIMEOUT,
        };
        match self.exporter.perform(request).await {
            Answer::Response(response) if response.status == 200 => Ok(()),
            Answer::Response(response) => bail!("the receiver answered {}", response.status),
            Answer::NoAnswer(reason) => Err(anyhow::Error::msg(reason)).context("the receiver did not answer"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn given_an_empty_folder_then_each_sample_is_a_file_in_the_experiment_demo() {
        let dir = tempfile::tempdir().unwrap();
        run(dir.path()).await.unwrap();
        let files = std::fs::read_dir(dir.path().join("traces/demo")).unwrap();
        let traces = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
        assert_eq!(
            traces.filter(|trace| matches!(terminal::draw(trace, "demo", 100), Ok(Some(_)))).count(),
            samples::ALL.len()
        );
    }
}
