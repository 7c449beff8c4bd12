//! The encoding of a request, from its `content-type`. Parameters such as a charset are ignored.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::payload::Encoding;
use crate::receiver::refusal::Refusal;

pub(super) fn of(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let value = headers.get(CONTENT_TYPE).map_or("(none)".into(), |value| String::from_utf8_lossy(value.as_bytes()));
    let essence = value.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "application/x-protobuf" | "application/protobuf" => Ok(Encoding::Protobuf),
        "application/json" => Ok(Encoding::Json),
        _ => Err(Refusal::ContentType(essence.to_owned())),
    }
}

pub(super) fn content_type(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json | Encoding::TraceJson => "application/json",
    }
}
