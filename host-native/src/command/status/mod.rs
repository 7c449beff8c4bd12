//! `status`: what a running host does, from its `/metrics` and `/readyz`; live on a terminal, a line at a time elsewhere.
//!
//! The exit code of `--once` and `--json` is 0 when the host is ready, so that a container's health check can be this.

mod frame;
mod metrics;

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::cli::StatusArgs;
use crate::settings::DEFAULT_ADMIN;
use crate::units::Period;
use metrics::Metrics;

/// How long the host may take to answer; `/readyz` may have to ask MLflow.
const TIMEOUT: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_secs(1);

/// What a host says of itself at one moment.
#[derive(Debug)]
struct Sample {
    at: Instant,
    readiness: Readiness,
    metrics: Metrics,
}

/// The body of `/readyz`.
#[derive(Debug, Deserialize)]
struct Readiness {
    ready: bool,
    checks: Vec<Check>,
}

#[derive(Debug, Deserialize)]
struct Check {
    name: String,
    destination: Option<String>,
    ok: bool,
    required: bool,
    reason: Option<String>,
}

/// Where to ask.
struct Host {
    client: Client,
    base: Url,
}

pub(super) async fn run(args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let host = Host::new(args.url.clone())?;
    let interval = args.interval.map_or(INTERVAL, |Period(time)| time).max(Duration::from_millis(100));
    if args.json || args.once {
        let sample = host.sample().await?;
        match args.json {
            true => anstream::println!("{:#}", sample.json()),
            false => anstream::println!("{}", frame::frame(&host.base, &sample, None)),
        }
        return Ok(if sample.readiness.ready { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    watch(&host, interval, io::stderr().is_terminal()).await
}

/// Until somebody ends it. A host that goes away is waited for.
async fn watch(host: &Host, every: Duration, live: bool) -> anyhow::Result<ExitCode> {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let screen = ProgressBar::new_spinner();
    // The template is a constant, and one that can be read.
    screen.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let mut before: Option<Sample> = None;
    loop {
        ticks.tick().await;
        match host.sample().await {
            Ok(sample) => {
                match live {
                    true => screen.set_message(frame::frame(&host.base, &sample, before.as_ref())),
                    false => {
                        let now = humantime::format_rfc3339_seconds(SystemTime::now());
                        anstream::println!("{now} {}", frame::line(&sample, before.as_ref()));
                    }
                }
                before = Some(sample);
            }
            // Nobody was there to begin with: that is not what was meant.
            Err(error) if before.is_none() => return Err(error),
            Err(error) if live => screen.set_message(format!("{error:#}")),
            Err(error) => anstream::println!("{error:#}"),
        }
    }
}

// === impl Host ===

impl Host {
    fn new(url: Option<Url>) -> anyhow::Result<Self> {
        let base = match url {
            Some(url) => url,
            None => Url::parse(&format!("http://{DEFAULT_ADMIN}"))?,
        };
        // Fails when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(TIMEOUT);
        // No authorities are needed for plain HTTP, and a container may have none.
        let client = if base.scheme() == "http" { client.tls_certs_only([]) } else { client };
        Ok(Self { client: client.build()?, base })
    }

    async fn sample(&self) -> anyhow::Result<Sample> {
        let at = Instant::now();
        let metrics = self.get("metrics").await?;
        let Some(metrics) = Metrics::parse(&metrics) else {
            bail!("{} is not a host of openinference-mlflow\nhint: its --admin-listen address is asked for", self.base);
        };
        let readiness = self.get("readyz").await?;
        let readiness = serde_json::from_str(&readiness).with_context(|| format!("{}readyz", self.base))?;
        Ok(Sample { at, readiness, metrics })
    }

    async fn get(&self, path: &str) -> anyhow::Result<String> {
        let asked =
            async { self.client.get(self.base.join(path)?).send().await?.text().await.map_err(anyhow::Error::from) };
        asked.await.with_context(|| {
            format!(
                "nobody answers at {}; is `openinference-mlflow serve` running, with that --admin-listen?",
                self.base
            )
        })
    }
}

// === impl Sample ===

impl Sample {
    fn json(&self) -> Value {
        let checks = self.readiness.checks.iter().map(|check| {
            let Check { name, destination, ok, required, reason } = check;
            json!({ "name": name, "destination": destination, "ok": ok, "required": required, "reason": reason })
        });
        json!({
            "ready": self.readiness.ready,
            "checks": checks.collect::<Vec<_>>(),
            "metrics": self.metrics.json(),
        })
    }
}
