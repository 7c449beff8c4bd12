//! The program that is attacked, and what has to hold for it all the while.

use std::net::SocketAddr;
use std::path::Path;
use std::thread::available_parallelism;

use ::bytes::Bytes;
use reqwest::Client;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;
use tonic::Request;

use crate::support::grpc_client::{EXPORT, call};
use crate::support::program::{Program, command};
use crate::support::{payload, until};

const MIB: u64 = 1 << 20;

/// The program's limits, small enough that an attack which is not stopped would show.
const SETTINGS: [&str; 4] =
    ["--max-memory=16MiB", "--max-body-size=1MiB", "--max-inflight-size=8MiB", "--max-connections=1000"];

/// What the bound on the memory is made of, in bytes and numbers, as the settings say.
struct Allowed {
    memory: u64,
    body: u64,
    inflight: u64,
    header: u64,
    connections: u64,
    forwards: u64,
}

impl Allowed {
    /// With [`SETTINGS`].
    const SMALL: Self =
        Self { memory: 16 * MIB, body: MIB, inflight: 8 * MIB, header: 16 << 10, connections: 2 * 1000, forwards: 0 };

    /// With the defaults, and one destination beside MLflow.
    const DEFAULT: Self = Self {
        memory: 128 * MIB,
        body: 32 * MIB,
        inflight: 128 * MIB,
        header: 16 << 10,
        connections: 2 * 2048,
        forwards: 1,
    };

    /// What it may take of the memory, as the README's section on security adds it up.
    fn bound(&self) -> u64 {
        let Self { memory, body, inflight, header, connections, forwards } = self;
        let cores = u64::try_from(available_parallelism().unwrap().get()).unwrap();
        let translator = 3 * memory + 4 * body;
        let receivers = 3 * inflight + 3 * body * cores + connections * (2 * header + (64 << 10));
        let journal = 64 * MIB + 6 * body;
        128 * MIB + translator + receivers + journal + forwards * (40 * MIB + 6 * body)
    }
}

pub(super) struct Target {
    program: Program,
    token: String,
    /// HTTP, gRPC.
    addresses: [SocketAddr; 2],
    allowed: Allowed,
    /// Lives as long as the rest.
    _dir: TempDir,
}

/// Lets this process open as many connections, or as many as the system allows; returns how many.
pub(super) fn files_for(connections: usize) -> usize {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    // The other tests of this process need some, too.
    let possible = maximum.map_or(usize::MAX, |files| usize::try_from(files).unwrap().saturating_sub(2_000));
    assert!(possible > 1_000, "the system allows too few files for this test: ulimit -Hn");
    connections.min(possible)
}

/// Adds a sender to the auth file.
fn token_in(dir: &Path, file: &str) -> String {
    let output = command(dir, &["auth", "add", "somebody", file]).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Target {
    /// With [`SETTINGS`], but for these.
    pub(super) async fn start(more: &[&str]) -> Self {
        // What is said last counts.
        let flag = |argument: &str| argument.split('=').next().map(str::to_owned);
        let settings = SETTINGS.iter().filter(|setting| !more.iter().any(|more| flag(more) == flag(setting)));
        let settings: Vec<_> = settings.copied().chain(more.iter().copied()).collect();
        Self::run(&settings, Allowed::SMALL).await
    }

    /// With the defaults, before an MLflow and another destination that are both away.
    pub(super) async fn with_defaults() -> Self {
        Self::run(&["--tracking-uri=http://127.0.0.1:1", "--forward=grpc://127.0.0.1:1"], Allowed::DEFAULT).await
    }

    async fn run(settings: &[&str], allowed: Allowed) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let file = format!("--auth-file={}", dir.path().join("senders").display());
        let token = token_in(dir.path(), &file);
        let program = Program::serve(dir.path(), &[settings, &[&file]].concat(), &[("RUST_LOG", "warn")]);
        let http = program.url().await.replace("http://", "").replace("/v1/traces", "").parse().unwrap();
        let grpc = program.grpc_address().await.parse().unwrap();
        Self { program, token, addresses: [http, grpc], allowed, _dir: dir }
    }

    pub(super) fn addresses(&self) -> [SocketAddr; 2] {
        self.addresses
    }

    pub(super) fn traces_url(&self) -> String {
        format!("http://{}/v1/traces", self.addresses[0])
    }

    pub(super) fn grpc_url(&self) -> String {
        format!("http://{}", self.addresses[1])
    }

    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Senders who are known get through on both receivers, with new connections and with an open one; they come
    /// again when they are asked to, as exporters do.
    pub(super) async fn serves_others(&self) {
        let standing = Client::builder().tls_certs_only([]).build().unwrap();
        for number in 0..3 {
            until("a standing connection is served", || self.takes_http(&standing, number)).await;
            let fresh = Client::builder().tls_certs_only([]).build().unwrap();
            until("a new connection is served", || self.takes_http(&fresh, number)).await;
            until("gRPC is served", || self.takes_grpc(number)).await;
        }
    }

    async fn takes_http(&self, client: &Client, number: u8) -> bool {
        let request = client.post(self.traces_url()).header("content-type", "application/x-protobuf");
        let answer = request.header("authorization", self.bearer()).body(payload::trace(number + 1)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    async fn takes_grpc(&self, number: u8) -> bool {
        let mut request = Request::new(Bytes::from(payload::trace(number + 101)));
        request.metadata_mut().insert("authorization", self.bearer().parse().unwrap());
        call(&self.grpc_url(), EXPORT, request, None).await.is_ok()
    }

    /// Its memory never went beyond what it may take.
    pub(super) fn stays_within_its_bound(&self) {
        let (peak, bound) = (peak_memory(self.program.id()), self.allowed.bound());
        println!("peak memory: {} MiB of {} MiB", peak / MIB, bound / MIB);
        assert!(peak <= bound, "{peak} bytes are more than {bound}");
    }

    /// It serves, its memory never went beyond what it may take, and it ends with everything delivered.
    pub(super) async fn ends_well(self) {
        self.serves_others().await;
        self.stays_within_its_bound();
        self.program.terminate();
        let (status, said) = tokio::task::spawn_blocking(|| self.program.end()).await.unwrap();
        assert!(status.success(), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

/// The most physical memory that a process ever had, in bytes (proc(5): VmHWM, in kilobytes).
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
