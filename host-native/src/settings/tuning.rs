//! The bridge's tuning: what was set of it, in the words of the translator's settings. What was not set is left out,
//! so that the translator's defaults are stated in one place, except where this host has one of its own.

use bytesize::ByteSize;
use serde::Serialize;

use super::{Delivery, Destination, Experiment, Layers};
use crate::cli::TuningArgs;
use crate::units::Period;

/// Assembly and delivery limits, named as the translator's settings name them (`wit/translator.wit`, `bridge.open`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tuning {
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settle_ms: Option<u64>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial_ms: Option<u64>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<u64>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remember_ms: Option<u64>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Spans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_spans: Option<u32>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_bytes: Option<u64>,
    /// Requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_initial_ms: Option<u64>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_max_ms: Option<u64>,
    /// Whether receipts wait for previews and links to prompts too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_for_optional: Option<bool>,
    /// Whether media goes to MLflow as attachments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<bool>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment_min_bytes: Option<u64>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment_max_bytes: Option<u64>,
}

#[derive(Serialize)]
struct BridgeSettings<'a> {
    destination: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    experiment_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    experiment_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_location: Option<&'a str>,
    openinference_only: bool,
    seed: u64,
    #[serde(flatten)]
    tuning: &'a Tuning,
}

impl Delivery {
    /// The JSON that `bridge.open` takes. `seed` spreads the retries of several bridges; any number.
    pub fn bridge_settings(&self, seed: u64) -> String {
        let (experiment_id, experiment_name) = match &self.experiment {
            Some(Experiment::Id(id)) => (Some(id.as_str()), None),
            Some(Experiment::Name(name)) => (None, Some(name.as_str())),
            None => (None, None),
        };
        let (destination, trace_location) = match &self.destination {
            Destination::Server(_) => ("server", None),
            Destination::UnityCatalog(catalog) => ("unity_catalog", Some(catalog.location.as_str())),
            Destination::Local => ("local", None),
        };
        serde_json::json!(BridgeSettings {
            destination,
            experiment_id,
            experiment_name,
            run_id: self.run_id.as_deref(),
            workspace: self.workspace.as_deref(),
            trace_location,
            openinference_only: self.openinference_only,
            seed,
            tuning: &self.tuning,
        })
        .to_string()
    }
}

impl From<&Layers<TuningArgs>> for Tuning {
    fn from(layers: &Layers<TuningArgs>) -> Self {
        Self {
            settle_ms: layers.pick(|args| &args.settle).map(Period::as_millis),
            partial_ms: layers.pick(|args| &args.partial_interval).map(Period::as_millis),
            idle_ms: layers.pick(|args| &args.idle_limit).map(Period::as_millis),
            remember_ms: layers.pick(|args| &args.remember).map(Period::as_millis),
            // Half of the translator's own default: what has no room in it waits in the journal.
            max_bytes: Some(layers.pick(|args| &args.max_memory).unwrap_or(ByteSize::mib(128)).as_u64()),
            batch_spans: layers.pick(|args| &args.batch_spans).map(u32::from),
            batch_bytes: layers.pick(|args| &args.batch_size).map(|size| size.as_u64()),
            concurrency: layers.pick(|args| &args.concurrency).map(u32::from),
            timeout_ms: layers.pick(|args| &args.request_timeout).map(Period::as_millis),
            retry_initial_ms: layers.pick(|args| &args.retry_initial).map(Period::as_millis),
            retry_max_ms: layers.pick(|args| &args.retry_max).map(Period::as_millis),
            // Commands that import traces set it: they have time, and end when the receipts are done.
            wait_for_optional: None,
            attachments: layers.pick(|args| &args.attachments),
            attachment_min_bytes: layers.pick(|args| &args.attachment_min_size).map(|size| size.as_u64()),
            // As MLflow's client reads it: nothing is no limit.
            attachment_max_bytes: layers.pick(|args| &args.attachment_max_size).map(|size| match size.as_u64() {
                0 => u64::MAX,
                bytes => bytes,
            }),
        }
    }
}
