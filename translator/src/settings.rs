//! The bridge's settings: a JSON object, documented key by key in `wit/translator.wit`.

use serde::Deserialize;

/// Where traces go.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum DestinationKind {
    /// An MLflow server: requests are its REST and OTLP endpoints.
    #[default]
    Server,
    /// Unity Catalog of a Databricks workspace: requests are its OTLP endpoint.
    UnityCatalog,
    /// A local folder: requests are files to read and write.
    #[cfg(feature = "json")]
    Local,
}

/// All settings; times in milliseconds, sizes in bytes.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each key is documented in the contract, `wit/translator.wit`")]
pub struct Settings {
    pub destination: DestinationKind,
    pub experiment_id: Option<String>,
    pub experiment_name: Option<String>,
    pub run_id: Option<String>,
    pub workspace: Option<String>,
    pub trace_location: Option<String>,
    pub settle_ms: u64,
    pub partial_ms: u64,
    pub idle_ms: u64,
    pub remember_ms: u64,
    pub max_bytes: u64,
    pub batch_spans: usize,
    pub batch_bytes: usize,
    pub concurrency: usize,
    pub timeout_ms: u32,
    pub retry_initial_ms: u64,
    pub retry_max_ms: u64,
    pub openinference_only: bool,
    pub wait_for_optional: bool,
    pub omit_marked_spans: bool,
    pub attachments: bool,
    pub attachment_min_bytes: u64,
    pub attachment_max_bytes: u64,
    pub seed: u64,
}

/// Settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// Not a JSON object of known keys.
    #[error("settings are not a JSON object of known keys: {0}")]
    Json(String),
    /// A value out of its range.
    #[error("setting `{key}` must be {expected}")]
    Range {
        /// The key.
        key: &'static str,
        /// What would be right.
        expected: &'static str,
    },
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            destination: DestinationKind::Server,
            experiment_id: None,
            experiment_name: None,
            run_id: None,
            workspace: None,
            trace_location: None,
            settle_ms: 500,
            partial_ms: 10_000,
            idle_ms: 300_000,
            remember_ms: 600_000,
            max_bytes: 256 << 20,
            batch_spans: 512,
            batch_bytes: 4 << 20,
            concurrency: 4,
            timeout_ms: 30_000,
            retry_initial_ms: 500,
            retry_max_ms: 30_000,
            openinference_only: false,
            wait_for_optional: false,
            omit_marked_spans: false,
            attachments: true,
            attachment_min_bytes: 4 << 10,
            attachment_max_bytes: 64 << 20,
            seed: 0,
        }
    }
}

impl Settings {
    /// Reads a JSON object; an empty text means the defaults.
    pub fn from_json(text: &str) -> Result<Self, InvalidSettings> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let mut settings: Self =
            serde_json::from_str(text).map_err(|error| InvalidSettings::Json(error.to_string()))?;
        let empty_is_unset =
            [&mut settings.experiment_id, &mut settings.experiment_name, &mut settings.run_id, &mut settings.workspace];
        for text in empty_is_unset {
            text.take_if(|text| text.trim().is_empty());
        }
        settings.validated()
    }

    fn validated(self) -> Result<Self, InvalidSettings> {
        let numeric = |id: &String| id.parse::<u64>().is_ok();
        let server = self.destination == DestinationKind::Server;
        let unity_catalog = self.destination == DestinationKind::UnityCatalog;
        let rules = [
            (
                "experiment_id",
                "a number, as MLflow numbers experiments",
                server && !self.experiment_id.as_ref().is_none_or(numeric),
            ),
            (
                "trace_location",
                "`catalog.schema` or `catalog.schema.prefix`",
                unity_catalog && !self.trace_location.as_deref().is_some_and(is_trace_location),
            ),
            ("max_bytes", "at least 1048576", self.max_bytes < 1 << 20),
            ("batch_spans", "at least 1", self.batch_spans == 0),
            ("batch_bytes", "at least 1", self.batch_bytes == 0),
            ("concurrency", "at least 1", self.concurrency == 0),
            ("timeout_ms", "at least 1", self.timeout_ms == 0),
            (
                "retry_initial_ms",
                "at least 1 and at most `retry_max_ms`",
                self.retry_initial_ms == 0 || self.retry_initial_ms > self.retry_max_ms,
            ),
        ];
        match rules.into_iter().find(|(.., broken)| *broken) {
            Some((key, expected, _)) => Err(InvalidSettings::Range { key, expected }),
            None => Ok(self),
        }
    }
}

/// Names that an HTTP header takes, as MLflow joins them.
fn is_trace_location(text: &str) -> bool {
    let parts = || text.split('.');
    matches!(parts().count(), 2 | 3)
        && parts().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic()))
}
