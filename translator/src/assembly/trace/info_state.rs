//! Which requests about the trace as a whole are left.

use crate::contract::{Instant, Receipt};
use crate::settings::Settings;

/// What MLflow has of a trace beside its spans, and which requests are left.
///
/// A trace info is *required* if MLflow would otherwise show something wrong, such as the name or the tags of the trace. Infos
/// that only improve previews, and links to prompts, are *optional*: no receipt waits for them, unless the settings say so.
#[derive(Debug, Default)]
pub struct InfoState {
    /// A complete trace info is to be sent.
    pub needed: bool,
    /// That trace info is required.
    pub required: bool,
    /// One was sent: from then on MLflow derives nothing from spans.
    pub sent: bool,
    /// How often the server failed on the next request.
    pub failures: u32,
    /// MLflow was asked for the trace before it is closed.
    pub looked_up: bool,
    /// The experiment in which MLflow has it then.
    pub found_in: Option<String>,
    /// What MLflow has of the trace, if it was read: servers before 3.12 need it repeated.
    pub stored: Option<StoredInfo>,
    /// A trace info would give previews without quotes. It is sent when the server is idle, before this time.
    pub preview_deadline: Option<Instant>,
    /// The bridge drops optional requests at this time.
    pub optional_deadline: Instant,
    /// The trace is to be linked to prompts.
    pub links_wanted: bool,
    /// To how many prompts it was linked.
    pub linked: usize,
    /// Shares of receipts that wait for any of this.
    pub receipts: Vec<Receipt>,
}

/// What MLflow derived of a trace.
#[derive(Clone, Debug, Default)]
pub struct StoredInfo {
    /// The trace metadata.
    pub metadata: Vec<(String, String)>,
    /// The request preview.
    pub request_preview: Option<String>,
    /// The response preview.
    pub response_preview: Option<String>,
}

impl InfoState {
    /// Whether no request is left.
    pub fn is_complete(&self) -> bool {
        !self.needed && self.preview_deadline.is_none() && !self.links_wanted
    }

    /// Whether an optional request is left that need not wait for an idle server.
    pub fn has_optional(&self) -> bool {
        self.needed && !self.required || self.links_wanted
    }

    /// Whether receipts wait for the requests that are left.
    pub fn holds_receipts(&self, settings: &Settings) -> bool {
        self.required || settings.wait_for_optional && !self.is_complete()
    }
}
