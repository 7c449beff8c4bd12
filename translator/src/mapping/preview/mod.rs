//! The text of a value, for the previews in the list of traces.
//!
//! MLflow derives previews from a root's inputs and outputs ([`crate::mlflow::preview`]): the last message of a conversation
//! in OpenAI's shape as text, everything else as JSON. Its list of traces finds the text in some JSON requests, and shows responses unchanged:
//! an Anthropic response or a LangGraph state as raw JSON. This module finds the text of such values. Sending it takes a
//! separate request, a trace info. [`PreviewGain`] says whether that is worth it: at once where the derived preview is
//! unreadable, later where the text would only lose the quotes and braces of JSON.

mod turns;

use std::borrow::Cow;

pub use super::printed::is_printed;
use crate::json::{self, JsonIndex, JsonValue, Kind};
use crate::mlflow::preview as derived;
use crate::mlflow::tags::fits;

/// The side of a conversation that a value belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Inputs: what a user asked.
    Request,
    /// Outputs: what a model or an application answered.
    Response,
}

/// Whether a better preview is worth a separate request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PreviewGain {
    /// What MLflow derives is as good.
    #[default]
    None,
    /// What MLflow derives can be read, with quotes or braces around the text: one that waits until the server has nothing
    /// else to do.
    Deferred,
    /// What MLflow derives cannot be read.
    Required,
}

/// What the list of traces can show of a value: texts of at most [`derived::MAX`] characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The text that was found, else what MLflow derives.
    pub text: String,
    /// How much better the text is.
    pub gain: PreviewGain,
    /// Whether it is text, and no JSON.
    pub is_text: bool,
}

/// Keys that hold the one text that matters of an object, in the order in which they are asked.
const NAMES: [(Side, &[&str]); 2] = [
    (Side::Request, &["input", "question", "query", "prompt", "task", "message", "text", "content"]),
    (Side::Response, &["output", "answer", "response", "result", "raw", "text", "content"]),
];

/// How deep a named value is looked into.
const DEPTH: usize = 3;

impl Preview {
    /// Of inputs or outputs, given as JSON or plain text.
    pub fn of(value: &str, side: Side) -> Option<Self> {
        let index = JsonIndex::read(value);
        let json = index.as_ref().map(|index| index.root(value));
        let derived = derived::derived(value, json, side.role())?;
        let is_text = !json::may_be_structured(&derived)
            || json.is_some_and(|json| derived::last_message_text(json, side.role()).is_some());
        if is_text {
            return Some(Self { text: derived, gain: PreviewGain::None, is_text: true });
        }
        let found = found(value, json, side, DEPTH);
        let is_cut = !fits(value, derived::MAX);
        let gain = match &found {
            Some(_) if json.is_none_or(JsonValue::is_string) => PreviewGain::Deferred,
            Some(found) if is_printed(value) || is_cut || side == Side::Response && !found.is_named => {
                PreviewGain::Required
            }
            Some(_) => PreviewGain::Deferred,
            None => PreviewGain::None,
        };
        let is_text = found.is_some();
        let text = found.map_or(derived, |found| derived::truncated(&found.text));
        Some(Self { text, gain, is_text })
    }
}

/// The text that a value says, in full; `None` for data.
pub fn text(value: &str, side: Side) -> Option<String> {
    let index = JsonIndex::read(value);
    found(value, index.as_ref().map(|index| index.root(value)), side, DEPTH).map(|found| found.text)
}

impl Side {
    fn role(self) -> &'static str {
        match self {
            Self::Request => "user",
            Self::Response => "assistant",
        }
    }
}

struct Found {
    text: String,
    /// Under a key of an object that is read well enough as JSON.
    is_named: bool,
}

fn found(value: &str, json: Option<JsonValue<'_>>, side: Side, depth: usize) -> Option<Found> {
    match json {
        Some(json) => found_in(json, side, depth),
        None => plain(value),
    }
}

/// A text that is the whole value.
fn plain(text: &str) -> Option<Found> {
    let is_said = !text.trim().is_empty() && !is_printed(text);
    is_said.then(|| Found { text: text.to_owned(), is_named: false })
}

fn found_in(json: JsonValue<'_>, side: Side, depth: usize) -> Option<Found> {
    if let Some(text) = json.string() {
        return plain(&text);
    }
    let message = derived::last_message_text(json, side.role()).map(Cow::into_owned);
    if let Some(text) = message.or_else(|| turns::said(json, side)) {
        return Some(Found { text, is_named: false });
    }
    let names = NAMES.iter().find(|(of, _)| *of == side)?.1;
    let inner = depth.checked_sub(1)?;
    let named = names.iter().find_map(|name| {
        let value = json.field(name).filter(|value| value.kind() != Kind::Other)?;
        let found = found_in(value, side, inner)?;
        Some(Found { is_named: true, ..found })
    });
    // A pipeline has its messages under the names of its components.
    named.or_else(|| turns::said_within(json, side, inner).map(|text| Found { text, is_named: false }))
}

#[cfg(test)]
mod tests;
