//! What is media, and what a reference takes the place of.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use serde_json::{Value, json};

use super::*;
use crate::otlp::base64::decode;
use crate::otlp::write::Attributes;
use crate::otlp::{Span, Value as Otlp};

const TRACE: [u8; 16] = [7; 16];
const LIMITS: AttachmentLimits = AttachmentLimits { min_bytes: 100, max_bytes: 10_000 };

/// Bytes that no encoding shortens, behind a file's first ones.
fn file(begins: &[u8], size: usize) -> Vec<u8> {
    let noise = (0..size as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8);
    begins.iter().copied().chain(noise).take(size).collect()
}

fn png(size: usize) -> String {
    STANDARD.encode(file(b"\x89PNG\r\n\x1a\n", size))
}

fn found(text: &str) -> Vec<(&str, usize)> {
    find(text.as_bytes(), LIMITS).map(|found| (found.content_type, found.size)).collect()
}

fn replaced(text: &str) -> Option<String> {
    let attached = AttachmentReferences { trace: TRACE, limits: LIMITS, has: &|_| true };
    attached.replace_in_text(text.as_bytes()).map(|text| String::from_utf8(text).unwrap())
}

#[test]
fn a_data_uri_is_media_wherever_it_is_a_whole_string() {
    let uri = format!("data:image/png;base64,{}", png(300));
    let once = json!({"image_url": {"url": uri}}).to_string();
    let twice = json!({ "arguments": once }).to_string();
    let thrice = json!([twice]).to_string();
    let printed = format!("Message(url='{uri}')");
    for text in [&uri, &once, &twice, &thrice, &printed, &format!("![a picture]({uri})")] {
        assert_eq!(found(text), [("image/png", 300)], "{text}");
    }
    assert_eq!(found(&format!("data:audio/wav;rate=8000;base64,{}", png(100))), [("audio/wav", 100)]);
}

#[test]
fn what_the_ui_does_not_draw_and_what_is_no_base64_stays() {
    let data = png(300);
    for text in [
        format!("data:text/html;base64,{data}"),
        format!("data:image/png<script>;base64,{data}"),
        format!("data:image/png,{data}"),
        format!("xdata:image/png;base64,{data}"),
        format!("data:image/png;base64,{data}!"),
        format!("data:image/png;base64,{data} and so on"),
        format!("data:image/png;base64,{}==", &data[..data.len() - 1]),
        format!("data:image/png;base64,{}-_", &data[..data.len() - 2]),
        format!("data:image/png;base64,{}", &data[..data.len() - 3]),
        format!("data:image/png;base64,{}", png(99)),
        format!("data:image/png;base64,{}", png(10_001)),
        format!("the picture {data}"),
        "a".repeat(400),
        "-".repeat(400),
        data.replace('/', "\\/"),
    ] {
        assert_eq!(found(&text), [], "{text}");
        assert_eq!(replaced(&text), None);
    }
}

#[test]
fn bare_base64_is_known_by_how_the_file_begins() {
    for (begins, content_type) in [
        (&b"\x89PNG\r\n\x1a\n"[..], "image/png"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x24\x08\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x24\x08\x00\x00WAVEfmt ", "audio/wav"),
        (b"ID3\x04\x00", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xf3\x84\xc4", "audio/mpeg"),
        (b"OggS\x00\x02", "audio/ogg"),
        (b"fLaC\x00\x00", "audio/flac"),
        (b"\x1a\x45\xdf\xa3\x9f", "video/webm"),
        (b"%PDF-1.7\n", "application/pdf"),
    ] {
        let bytes = file(begins, 200);
        for data in [STANDARD.encode(&bytes), STANDARD_NO_PAD.encode(&bytes), URL_SAFE.encode(&bytes)] {
            let text = json!({"source": {"type": "base64", "data": data}}).to_string();
            if data.starts_with("__") {
                // Bare MP3 frames cannot be distinguished in the URL-safe alphabet.
                continue;
            }
            assert_eq!(found(&text), [(content_type, 200)], "{text}");
            let found = find(text.as_bytes(), LIMITS).next().unwrap();
            assert_eq!(decode(found.data), Some(bytes.clone()));
        }
    }
    assert_eq!(found(&json!({"signature": STANDARD.encode(file(b"opaque", 500))}).to_string()), []);
}

#[test]
fn a_reference_replaces_the_media_and_json_stays_json() {
    let picture = png(300);
    let inner = json!({"url": format!("data:image/png;base64,{picture}"), "detail": "low"}).to_string();
    let text = json!({"a": inner, "b": [picture, "ö"], "c": picture}).to_string();
    let after: Value = serde_json::from_str(&replaced(&text).unwrap()).unwrap();
    let inner: Value = serde_json::from_str(after["a"].as_str().unwrap()).unwrap();
    let reference = after["c"].as_str().unwrap();
    let id = AttachmentId::of(TRACE, picture.trim_end_matches('=').as_bytes());
    let trace = "07".repeat(16);
    assert_eq!(reference, format!("mlflow-attachment://{id}?content_type=image%2Fpng&trace_id=tr-{trace}&size=300"));
    assert_eq!(inner, json!({"url": reference, "detail": "low"}));
    assert_eq!(after["b"], json!([reference, "ö"]));
    assert_eq!(replaced(&after.to_string()), None, "what was replaced holds nothing more");
}

#[test]
fn an_id_is_a_uuid_of_the_trace_and_the_media() {
    let [a, b, c] = [AttachmentId::of(TRACE, b"a"), AttachmentId::of(TRACE, b"b"), AttachmentId::of([8; 16], b"a")];
    assert!(a != b && a != c && a == AttachmentId::of(TRACE, b"a"));
    let text = a.to_string();
    let parts: Vec<_> = text.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12]);
    assert!(text[14..].starts_with('8') && "89ab".contains(&text[19..20]), "{text}");
}

#[test]
fn only_what_mlflow_has_is_referred_to() {
    let text = json!([png(300), png(301)]).to_string();
    let second = AttachmentId::of(TRACE, png(301).trim_end_matches('=').as_bytes());
    let attached = AttachmentReferences { trace: TRACE, limits: LIMITS, has: &|id| id == second };
    let after = String::from_utf8(attached.replace_in_text(text.as_bytes()).unwrap()).unwrap();
    assert!(after.contains(&png(300)) && !after.contains(&png(301)), "{after}");
}

#[test]
fn values_of_any_depth_change_and_the_rest_of_the_span_does_not() {
    let picture = png(300);
    let mut attributes = Attributes::default();
    attributes.put_str("before", "same");
    attributes.put_json("nested", &json!([{"deep": {"image": picture}}, 5, null]));
    attributes.put_str("llm.image", &picture);
    attributes.put_str("after", "same");
    // A field that no version of OTLP has yet.
    let raw = [attributes.as_bytes(), &[0xfa, 0x3f, 2, b'h', b'i']].concat();
    let attached = AttachmentReferences { trace: TRACE, limits: LIMITS, has: &|_| true };
    let changed = attached.replace_in_span(&raw).unwrap();
    assert!(changed.ends_with(&[0xfa, 0x3f, 2, b'h', b'i']) && changed.len() < 800, "{}", changed.len());
    let span = Span::parse(&changed).unwrap();
    let keys: Vec<_> = span.attributes.iter().map(|attribute| attribute.key.get()).collect();
    assert_eq!(keys, ["before", "nested", "llm.image", "after"]);
    let reference = span.attribute("llm.image").unwrap().as_str().unwrap();
    assert!(reference.starts_with("mlflow-attachment://"));
    let Some(Otlp::Array(items)) = span.attribute("nested") else { panic!("not a list") };
    let Some(Otlp::KvList(entries)) = items.iter().next() else { panic!("not a map") };
    let Some(Otlp::KvList(deep)) = entries.iter().next().map(|entry| entry.value) else { panic!("not a map") };
    assert_eq!(deep.iter().next().unwrap().value.as_str(), Some(reference));
    assert_eq!(attached.replace_in_span(&changed), None);

    let mut found = Vec::new();
    for_each(&raw, TRACE, LIMITS, &mut |id, data| found.push((id, data)));
    assert_eq!(found.len(), 2, "as often as it is there");
    assert_eq!(found[0], found[1]);
}

#[test]
fn additions_change_as_texts_do() {
    let picture = png(300);
    let mut added = AddedAttributes::default();
    added.push_text("text", format!("data:image/png;base64,{picture}"));
    added.push("json", crate::mlflow::Mapped::Json(json!([{"url": picture}, 1])));
    added.push_text("other", "words");
    AttachmentReferences { trace: TRACE, limits: LIMITS, has: &|_| true }.replace_in_attributes(&mut added);
    let texts: Vec<_> = added.iter().map(|(_, value)| value.as_text().into_owned()).collect();
    assert!(texts[0].starts_with("mlflow-attachment://"));
    assert_eq!(texts[1], json!([{"url": texts[0]}, 1]).to_string());
    assert_eq!(texts[2], "words");
}

#[test]
fn the_least_size_is_honoured_to_the_byte() {
    for min_bytes in [48, 49, 50, 51, 100, 101, 102, 103] {
        let limits = AttachmentLimits { min_bytes, max_bytes: 10_000 };
        let sizes = |size| find(&format!("data:image/png;base64,{}", png(size)).into_bytes(), limits).count();
        assert_eq!((sizes(min_bytes - 1), sizes(min_bytes)), (0, 1), "{min_bytes}");
    }
}
