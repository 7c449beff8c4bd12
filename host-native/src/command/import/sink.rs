//! Where the import sends what it reads: to MLflow, or nowhere.

use std::path::Path;

use bytes::Bytes;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::command::transfer::{self, Acknowledged, Fingerprint, Totals, Transfer};
use crate::driver::Refused;
use crate::payload::{Encoding, PayloadContext};
use crate::settings::Delivery;

/// Everything is left to the settings, and to the project that the resource names.
const CONTEXT: PayloadContext = PayloadContext {
    encoding: Encoding::Json,
    experiment_id: None,
    experiment_name: None,
    run_id: None,
    workspace: None,
};

/// Where to.
pub(super) enum Sink {
    /// To MLflow.
    Mlflow(Box<Transfer>),
    /// Nowhere: what a server has already is known if there is one.
    Nowhere { acknowledged: Option<Acknowledged>, otherwise: String },
}

/// Spans that are sent together, and what to remember of them.
pub(super) struct Parcel {
    pub(super) spans: Vec<Value>,
    pub(super) remember: Vec<Fingerprint>,
}

// === impl Sink ===

impl Sink {
    pub(super) async fn open(
        dry_run: bool,
        delivery: &Delivery,
        data_dir: &Path,
        bar: ProgressBar,
    ) -> anyhow::Result<Self> {
        if !dry_run {
            return Ok(Self::Mlflow(Box::new(Transfer::start(delivery, data_dir, bar).await?)));
        }
        let server = delivery.destination.server();
        let acknowledged = server.map(|server| transfer::acknowledged(server, data_dir)).transpose()?;
        Ok(Self::Nowhere { acknowledged, otherwise: transfer::otherwise(delivery) })
    }

    /// Names what these words identify.
    pub(super) fn fingerprint(&self, words: &[&str]) -> Fingerprint {
        let words = json!(words).to_string();
        match self {
            Self::Mlflow(transfer) => transfer.fingerprint(words.as_bytes(), &CONTEXT),
            Self::Nowhere { otherwise, .. } => Fingerprint::new(words.as_bytes(), &CONTEXT, otherwise),
        }
    }

    /// Whether MLflow has it.
    pub(super) fn knows(&self, fingerprint: &Fingerprint) -> bool {
        match self {
            Self::Mlflow(transfer) => transfer.knows(fingerprint),
            Self::Nowhere { acknowledged, .. } => {
                acknowledged.as_ref().is_some_and(|known| known.contains(fingerprint))
            }
        }
    }

    /// Whether anything is sent.
    pub(super) fn is_dry(&self) -> bool {
        matches!(self, Self::Nowhere { .. })
    }

    /// Sends spans of a project. Those that the translator cannot read are quarantined, each by itself.
    pub(super) async fn send(&mut self, project: &str, parcel: Parcel) -> anyhow::Result<()> {
        let Self::Mlflow(transfer) = self else { return Ok(()) };
        let mut parts = vec![parcel];
        while let Some(Parcel { spans, remember }) = parts.pop() {
            let payload = Bytes::from(payload(project, &spans));
            match transfer.send(payload.clone(), CONTEXT, remember).await? {
                Ok(()) => {}
                Err(Refused::Malformed(_)) if spans.len() > 1 => {
                    let mut first = spans;
                    let second = first.split_off(first.len() / 2);
                    parts.extend([second, first].map(|spans| Parcel { spans, remember: Vec::new() }));
                }
                Err(refused) => transfer.quarantine(&payload, &CONTEXT, &format!("from Phoenix: {refused}"))?,
            }
        }
        Ok(())
    }

    /// Notes what MLflow has meanwhile.
    pub(super) fn collect(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Mlflow(transfer) => transfer.collect(),
            Self::Nowhere { .. } => Ok(()),
        }
    }

    /// Waits until MLflow has all that was sent.
    pub(super) async fn settle(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Mlflow(transfer) => transfer.settle().await,
            Self::Nowhere { .. } => Ok(()),
        }
    }

    /// Waits for all that was sent, and ends.
    pub(super) async fn finish(self) -> anyhow::Result<Totals> {
        match self {
            Self::Mlflow(transfer) => transfer.finish().await,
            Self::Nowhere { .. } => Ok(Totals::default()),
        }
    }
}

/// OTLP/JSON. The resource names the project, as that of the application did.
fn payload(project: &str, spans: &[Value]) -> Vec<u8> {
    let name = json!({"key": "openinference.project.name", "value": {"stringValue": project}});
    let request = json!({"resourceSpans": [{"resource": {"attributes": [name]}, "scopeSpans": [{"spans": spans}]}]});
    request.to_string().into_bytes()
}
