//! A span as Phoenix gives it, and as its application sent it, as far as Phoenix still knows.
//!
//! | Phoenix has | the span gets |
//! |---|---|
//! | times in microseconds, given as nanoseconds with the rounding error of a float | whole microseconds |
//! | [JSON attributes](super::json_attributes) as one attribute for each value in them | the JSON text |
//!
//! What Phoenix does not keep cannot come back: links, resources, scopes, the kind of the span, what dropped-counts say.

use serde_json::{Map, Value};

use super::json_attributes;

/// Phoenix's times have no more than this.
const MICROSECOND: u64 = 1_000;

/// The id of the span, and the span in OTLP/JSON; `None` when it has none.
pub(super) fn sent(span: Value) -> Option<(String, Value)> {
    let Value::Object(mut span) = span else { return None };
    let id = span.get("span_id").and_then(Value::as_str)?.to_owned();
    for key in ["start_time_unix_nano", "end_time_unix_nano"] {
        round(&mut span, key);
    }
    for event in span.get_mut("events").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(event) = event {
            round(event, "time_unix_nano");
        }
    }
    if let Some(Value::Array(attributes)) = span.get_mut("attributes") {
        *attributes = json_attributes::restored(std::mem::take(attributes));
    }
    Some((id, Value::Object(span)))
}

fn round(holder: &mut Map<String, Value>, key: &str) {
    if let Some(time) = holder.get_mut(key)
        && let Some(nanoseconds) = time.as_u64()
    {
        *time = (nanoseconds.saturating_add(MICROSECOND / 2) / MICROSECOND * MICROSECOND).into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn given_times_with_the_error_of_a_float_then_they_are_whole_microseconds() {
        let span = json!({"trace_id": "aa", "span_id": "bb", "start_time_unix_nano": 1_795_330_313_526_000_128_u64,
            "end_time_unix_nano": 1_795_330_313_526_006_784_u64, "events": [{"time_unix_nano": 1_700_000_000_000_000_999_u64}]});
        let (id, span) = sent(span).unwrap();
        assert_eq!(id, "bb");
        assert_eq!(span["start_time_unix_nano"], 1_795_330_313_526_000_000_u64);
        assert_eq!(span["end_time_unix_nano"], 1_795_330_313_526_007_000_u64);
        assert_eq!(span["events"][0]["time_unix_nano"], 1_700_000_000_000_001_000_u64);
    }

    #[test]
    fn given_something_without_an_id_then_it_is_no_span() {
        for odd in [json!(7), json!({}), json!({"trace_id": "aa", "span_id": null})] {
            assert_eq!(sent(odd), None);
        }
    }
}
