//! The content of a raw message: a text, or content blocks of any provider.
//!
//! A block is known by its `type`, or by the key that holds it (Bedrock, Gemini). An unknown block becomes its JSON text.

use std::borrow::Cow;

use crate::json::JsonValue;
use crate::mapping::chat::media::{self, is_base64};
use crate::mapping::chat::message::{Message, Part, ToolCall};
use crate::mapping::chat::parts::Parts;
use crate::mapping::chat::role::Role;

/// What one block, or the value that its key holds, adds to its message.
type Read = for<'a> fn(&str, JsonValue<'a>, &mut Blocks<'a>);

/// Kinds of blocks under the names that they have. A new kind is one entry.
const KINDS: [(&[&str], Read); 7] = [
    (&["text", "input_text", "output_text", "summary_text", "refusal"], text),
    (&["tool_call", "tool_use", "toolUse", "tool-call", "function_call", "functionCall", "ToolCall"], call),
    (
        &[
            "tool_call_response",
            "tool_result",
            "toolResult",
            "tool-result",
            "function_call_output",
            "function_call_result",
            "function_response",
            "functionResponse",
            "ToolCallResult",
        ],
        result,
    ),
    (&["reasoning", "thinking", "redacted_thinking", "reasoningContent"], reasoning),
    (
        &[
            "image",
            "image_url",
            "input_image",
            "audio",
            "input_audio",
            "video",
            "document",
            "file",
            "input_file",
            "blob",
            "uri",
            "inline_data",
            "inlineData",
            "file_data",
            "fileData",
        ],
        medium,
    ),
    (&["json"], data),
    (&["cachePoint"], |_, _, _| ()),
];

/// The parts and tool results of a message.
#[derive(Default)]
struct Blocks<'a> {
    parts: Parts<'a>,
    /// Tool results, which some providers put into user messages.
    results: Vec<Message<'a>>,
}

/// Reads a message: its content, and the object in which calls of tools and the id of an answered call may be.
pub(super) fn read_message<'a>(
    role: Role,
    content: Option<JsonValue<'a>>,
    body: Option<JsonValue<'a>>,
    out: &mut Vec<Message<'a>>,
) {
    let mut blocks = Blocks::default();
    if let Some(content) = content {
        read(content, &mut blocks);
    }
    let [calls, camel_calls, legacy, answers, name] = body
        .map_or([None; 5], |body| body.fields(["tool_calls", "toolCalls", "function_call", "tool_call_id", "name"]));
    let calls =
        calls.or(camel_calls).into_iter().flat_map(JsonValue::items).chain(legacy.filter(|call| call.is_object()));
    calls.for_each(|body| call("", body, &mut blocks));
    let mut message = Message::empty(role);
    if role == Role::Tool {
        message.tool_call_id = answers.and_then(JsonValue::string);
        message.name = name.and_then(JsonValue::string);
    }
    blocks.parts.put(&mut message);
    out.append(&mut blocks.results);
    if !message.has_no_content() || message.tool_call_id.is_some() {
        out.push(message);
    }
}

fn read<'a>(content: JsonValue<'a>, blocks: &mut Blocks<'a>) {
    match content.is_array() {
        true => content.items().for_each(|item| read_one(item, blocks)),
        false => read_one(content, blocks),
    }
}

fn read_one<'a>(block: JsonValue<'a>, blocks: &mut Blocks<'a>) {
    if block.is_string() {
        return text("", block, blocks);
    }
    if !block.is_object() || block.is_empty() {
        return;
    }
    let known = |name: &str| KINDS.iter().find(|(names, _)| names.contains(&name)).map(|(_, read)| *read);
    let [kind, block_kind] = block.fields(["type", "block_type"]).map(|kind| kind.and_then(JsonValue::string));
    // A Python class that is no kind of block is named for what it holds.
    let kind = block_kind.or(kind.filter(|kind| known(kind).is_some() || !kind.starts_with(char::is_uppercase)));
    let found = match &kind {
        Some(kind) => known(kind).map(|read| (kind.clone(), read, block)),
        None => block.entries().find_map(|(key, value)| {
            let key = key.string()?;
            known(&key).map(|read| (key, read, value))
        }),
    };
    match found {
        Some((kind, read, body)) => read(&kind, body, blocks),
        None => blocks.parts.content.push(Part::text(block.text())),
    }
}

/// The first of an object's values that is something.
fn first<'a, const N: usize>(body: JsonValue<'a>, names: [&str; N]) -> Option<JsonValue<'a>> {
    body.fields(names).into_iter().flatten().find(|value| !value.is_null())
}

/// A string as its text, anything else as its JSON.
fn plain(value: JsonValue<'_>) -> Cow<'_, str> {
    value.string().unwrap_or(Cow::Borrowed(value.text()))
}

fn text<'a>(_: &str, body: JsonValue<'a>, blocks: &mut Blocks<'a>) {
    let text = body.string().or_else(|| first(body, ["text", "content", "refusal"]).and_then(JsonValue::string));
    blocks.parts.content.extend(text.filter(|text| !text.is_empty()).map(Part::text));
}

fn data<'a>(_: &str, body: JsonValue<'a>, blocks: &mut Blocks<'a>) {
    blocks.parts.content.push(Part::text(body.text()));
}

/// The id of a call. Some providers give the item that holds the call a different id.
fn call_id(body: JsonValue<'_>) -> Option<Cow<'_, str>> {
    first(body, ["call_id", "callId", "tool_use_id", "toolUseId", "toolCallId", "tool_call_id", "id"])
        .and_then(JsonValue::string)
}

fn call<'a>(_: &str, body: JsonValue<'a>, blocks: &mut Blocks<'a>) {
    let function = first(body, ["function"]).filter(|function| function.is_object()).unwrap_or(body);
    let name = first(function, ["name", "toolName", "tool_name"]).and_then(JsonValue::string);
    let arguments = first(function, ["arguments", "args", "input", "tool_kwargs"]).map(plain);
    blocks.parts.calls.push(ToolCall::new(call_id(body), name, arguments));
}

fn result<'a>(_: &str, body: JsonValue<'a>, blocks: &mut Blocks<'a>) {
    let mut inner = Blocks::default();
    match first(body, ["content", "output"]) {
        Some(content) => read(content, &mut inner),
        None => inner.parts.content.extend(first(body, ["response", "result"]).map(plain).map(Part::text)),
    }
    let mut message = Message::empty(Role::Tool);
    // Haystack has the call that was answered beside the result.
    let call = first(body, ["origin"]).unwrap_or(body);
    message.tool_call_id = call_id(call);
    message.name = first(call, ["name", "tool_name"]).and_then(JsonValue::string);
    inner.parts.put(&mut message);
    blocks.results.push(message);
}

fn reasoning<'a>(_: &str, body: JsonValue<'a>, blocks: &mut Blocks<'a>) {
    let thought = first(body, ["thinking", "text", "reasoningText", "content", "summary"]);
    let found = blocks.parts.reasoning.len();
    let words = |value: JsonValue<'a>| value.string().or_else(|| value.field("text").and_then(JsonValue::string));
    let thoughts =
        thought.into_iter().flat_map(|value| words(value).into_iter().chain(value.items().filter_map(words)));
    blocks.parts.reasoning.extend(thoughts.filter(|text| !text.is_empty()));
    if blocks.parts.reasoning.len() == found && first(body, ["data", "encrypted_content", "redactedContent"]).is_some()
    {
        blocks.parts.reasoning.push(Cow::Borrowed("[encrypted]"));
    }
}

/// A picture, a sound or a file: by its address or as base64, with what it is beside it or around it.
fn medium<'a>(kind: &str, body: JsonValue<'a>, blocks: &mut Blocks<'a>) {
    const INSIDE: [&str; 15] = [
        "url",
        "uri",
        "fileUri",
        "file_uri",
        "image_url",
        "source",
        "bytes",
        "data",
        "file_data",
        "base64",
        "content",
        "image",
        "input_audio",
        "audio",
        "file",
    ];
    const LEVELS: usize = 4;
    let (mut mime, mut name, mut modality) = (None, None, None);
    let mut place = Some(body);
    for _ in 0..LEVELS {
        let Some(body) = place.filter(|body| body.is_object()) else { break };
        let text = |names| first(body, names).and_then(JsonValue::string);
        mime = mime.or_else(|| text(["mime_type", "mimeType", "media_type", "mediaType", "format"]));
        name = name.or_else(|| first(body, ["filename", "name", "title"]).and_then(JsonValue::string));
        modality = modality.or_else(|| first(body, ["modality"]).and_then(JsonValue::string));
        place = first(body, INSIDE);
    }
    let address = place.and_then(JsonValue::string).unwrap_or_default();
    let kinds = ["image", "audio", "video", "document"];
    let is_of = |kind: &&&str| {
        modality.as_deref() == Some(**kind) || mime.as_deref().is_some_and(|mime| mime.starts_with(**kind))
    };
    let of_name = || kinds.iter().find(|known| kind.contains(**known));
    let kind = *kinds.iter().find(is_of).or_else(of_name).unwrap_or(&"file");
    let mime = match mime {
        Some(format) if !format.is_empty() && !format.contains('/') => Cow::Owned(format!("{kind}/{format}")),
        mime => mime.unwrap_or_default(),
    };
    let is_address = address.starts_with("data:") || address.contains("://") || address == media::REDACTED;
    let url = match address {
        address if is_address => address,
        data if is_base64(&data) && !mime.is_empty() => Cow::Owned(format!("data:{mime};base64,{data}")),
        data if is_base64(&data) => data,
        // No address and no data: the name of an uploaded file, or bytes as Python prints them.
        _ => Cow::Borrowed(""),
    };
    blocks.parts.content.push(match kind {
        "image" => media::image(url, None),
        "audio" => media::audio(&url, &mime),
        kind => media::link(kind, name.as_deref(), &mime, &url),
    });
}
