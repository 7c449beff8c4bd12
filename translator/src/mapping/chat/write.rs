//! Messages as JSON text.

use super::message::{Content, Message, Part, ToolCall};
use crate::json::put_quoted;

impl Message<'_> {
    /// Appends the message.
    pub(in crate::mapping) fn put(&self, out: &mut String) {
        put_text(out, "{\"role\":", self.role.name());
        out.push_str(",\"content\":");
        match &self.content {
            Content::None => out.push_str("null"),
            Content::Text(text) => put_quoted(out, text),
            Content::Parts(parts) => put_list(out, parts, put_part),
        }
        if let Some(reasoning) = &self.reasoning {
            put_text(out, ",\"reasoning\":", reasoning);
        }
        if !self.tool_calls.is_empty() {
            out.push_str(",\"tool_calls\":");
            put_list(out, &self.tool_calls, put_call);
        }
        if let Some(id) = &self.tool_call_id {
            put_text(out, ",\"tool_call_id\":", id);
        }
        if let Some(name) = &self.name {
            put_text(out, ",\"name\":", name);
        }
        out.push('}');
    }
}

/// Appends an array, each item as it is put.
pub(super) fn put_list<T>(out: &mut String, items: impl IntoIterator<Item = T>, put: impl Fn(&mut String, T)) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        put(out, item);
    }
    out.push(']');
}

/// Appends what comes before a text, and the text.
pub(super) fn put_text(out: &mut String, before: &str, text: &str) {
    out.push_str(before);
    put_quoted(out, text);
}

fn put_part(out: &mut String, part: &Part<'_>) {
    match part {
        Part::Text { text } => put_text(out, "{\"type\":\"text\",\"text\":", text),
        Part::ImageUrl { image_url } => {
            put_text(out, "{\"type\":\"image_url\",\"image_url\":{\"url\":", &image_url.url);
            out.push('}');
        }
        Part::InputAudio { input_audio } => {
            put_text(out, "{\"type\":\"input_audio\",\"input_audio\":{\"data\":", &input_audio.data);
            put_text(out, ",\"format\":", input_audio.format);
            out.push('}');
        }
    }
    out.push('}');
}

fn put_call(out: &mut String, call: &ToolCall<'_>) {
    put_text(out, "{\"id\":", &call.id);
    put_text(out, ",\"type\":", call.kind);
    put_text(out, ",\"function\":{\"name\":", &call.function.name);
    put_text(out, ",\"arguments\":", &call.function.arguments);
    out.push_str("}}");
}
