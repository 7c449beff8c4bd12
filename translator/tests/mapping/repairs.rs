//! Given a damaged span, when it is repaired, then …

use std::borrow::Cow;

use openinference_mlflow_translator::mapping::repair;
use openinference_mlflow_translator::otlp::span::resource_attributes;
use openinference_mlflow_translator::otlp::{Span, Value};

use crate::spans::{END, Message, SPAN_ID, START, TRACE_ID, double, encoded, identified, span, timed};

/// The repaired message, and each rule with its place.
fn repaired(span: &Message) -> (Vec<u8>, Vec<(&'static str, String)>) {
    let repaired = repair::span(&Span::parse(&span.0).unwrap()).unwrap();
    (repaired.span.into_owned(), repaired.repairs)
}

fn rules<'a>(repairs: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    repairs.iter().map(|(rule, place)| (*rule, place.as_str())).collect()
}

#[test]
fn a_sound_span_is_borrowed() {
    let event =
        Message::default().fixed(1, u64::MAX).bytes(2, "exception").key_value(3, "exception.message", encoded("é"));
    let link = Message::default().bytes(1, [1; 20]).bytes(2, [2; 9]).bytes(3, "a=b").key_value(4, "", encoded("x"));
    let status = Message::default().bytes(2, "bad").varint(3, 77);
    let sound = span()
        .bytes(3, "a=b")
        .bytes(4, [0; 8])
        .varint(6, 99)
        .with("", "empty key")
        .with("input.value", "{\"a\": [1, 2, 3]}")
        .with("session.id", "s".repeat(250))
        .with("note", "nul \0 where no column is")
        .bytes(11, event.0)
        .bytes(13, link.0)
        .bytes(15, status.0)
        .bytes(4095, "unknown");
    let parsed = Span::parse(&sound.0).unwrap();
    let repaired = repair::span(&parsed).unwrap();
    assert!(matches!(repaired.span, Cow::Borrowed(same) if same == sound.0));
    assert!(repaired.repairs.is_empty());
}

#[test]
fn everything_that_is_sound_on_a_damaged_span_stays_byte_for_byte() {
    let sound = span().with("a", "x").with("b", 1).bytes(4095, "unknown");
    let (bytes, repairs) = repaired(&Message(sound.clone().0).key_value(9, "nan", double(f64::NAN)));
    assert!(bytes.starts_with(&sound.0));
    assert_eq!(rules(&repairs), [("not-finite", "nan")]);
}

#[test]
fn numbers_that_are_not_finite_become_text_wherever_they_stand() {
    let list = Message::default().bytes(1, double(1.0)).bytes(1, double(f64::INFINITY));
    let map = Message::default().bytes(1, Message::default().bytes(1, "k").bytes(2, double(f64::NEG_INFINITY)).0);
    let event = Message::default().bytes(2, "log").key_value(3, "n", double(f64::NAN));
    let link = Message::default().key_value(4, "n", double(f64::NAN));
    let damaged = span()
        .key_value(9, "list", Message::default().bytes(5, list.0).0)
        .key_value(9, "map", Message::default().bytes(6, map.0).0)
        .bytes(11, event.0)
        .bytes(13, link.0);
    let (bytes, repairs) = repaired(&damaged);
    let expected = [("not-finite", "list"), ("not-finite", "map"), ("not-finite", "log: n"), ("not-finite", "link: n")];
    assert_eq!(rules(&repairs), expected);
    let span = Span::parse(&bytes).unwrap();
    let Some(Value::Array(items)) = span.attribute("list") else { panic!("{span:?}") };
    let texts: Vec<_> = items.iter().map(|item| item.as_str()).collect();
    assert_eq!(texts, [None, Some("Infinity")]);
    assert_eq!(span.events[0].attributes[0].value.as_str(), Some("NaN"));
    assert_eq!(span.links[0].attributes[0].value.as_str(), Some("NaN"));
}

#[test]
fn text_becomes_utf8_wherever_it_stands() {
    let bad = b"a\xff";
    let damaged = span()
        .bytes(3, bad)
        .bytes(5, bad)
        .key_value(9, bad, encoded("x"))
        .key_value(9, "value", Message::default().bytes(1, bad).0)
        .bytes(11, Message::default().bytes(2, bad).0)
        .bytes(13, Message::default().bytes(3, bad).0)
        .bytes(15, Message::default().bytes(2, bad).0);
    let (bytes, repairs) = repaired(&damaged);
    let places: Vec<_> = repairs.iter().map(|(rule, place)| (*rule, place.as_str())).collect();
    let expected = ["trace_state", "name", "a\u{fffd}", "value", "a\u{fffd}", "link: trace_state", "status.message"];
    assert_eq!(places, expected.map(|place| ("invalid-utf8", place)));
    let span = Span::parse(&bytes).unwrap();
    assert_eq!(span.name.get(), "a\u{fffd}");
    assert_eq!(span.attribute("value").and_then(|value| value.as_str()), Some("a\u{fffd}"));
    assert_eq!(span.status.message.get(), "a\u{fffd}");
}

#[test]
fn a_text_with_several_faults_is_repaired_at_once() {
    let mut session = b"\0 \xff ".to_vec();
    session.extend([b's'; 300]);
    let damaged = span().key_value(9, "session.id", Message::default().bytes(1, &session).0);
    let (bytes, repairs) = repaired(&damaged);
    assert!(repairs.len() >= 2, "{repairs:?}");
    let (again, repairs) = repaired(&Message(bytes.clone()));
    assert_eq!((again, repairs.len()), (bytes, 0), "repairing a repaired span changes nothing");
}

#[test]
fn a_links_trace_state_is_not_forgotten() {
    let (bytes, repairs) = repaired(&span().bytes(13, Message::default().bytes(1, TRACE_ID).bytes(3, b"\xff").0));
    assert_eq!(rules(&repairs), [("invalid-utf8", "link: trace_state")]);
    assert_eq!(Span::parse(&bytes).unwrap().links[0].trace_id, TRACE_ID);
}

#[test]
fn json_text_that_mlflow_cannot_hold_becomes_a_json_string() {
    let texts = ["[".repeat(5000), "9".repeat(4301), "{\"id\": 18446744073709551615}".to_owned()];
    for text in texts {
        let (bytes, repairs) = repaired(&span().with("note", text.as_str()));
        assert_eq!(rules(&repairs), [("json-text", "note")]);
        let span = Span::parse(&bytes).unwrap();
        let stored = span.attribute("note").and_then(|value| value.as_str()).unwrap();
        assert_eq!(serde_json::from_str::<String>(stored).unwrap(), text);
    }
}

#[test]
fn a_session_that_is_too_long_is_cut_and_stays_distinct() {
    let (bytes, repairs) = repaired(&span().with("session.id", "é".repeat(300)));
    assert_eq!(rules(&repairs), [("session-id", "session.id")]);
    let span = Span::parse(&bytes).unwrap();
    let session = span.attribute("session.id").and_then(|value| value.as_str()).unwrap();
    assert_eq!(session.chars().count(), 250);
}

#[test]
fn a_name_with_nul_is_one_that_postgresql_takes() {
    let (bytes, repairs) = repaired(&span().bytes(5, "a\0b"));
    assert_eq!(rules(&repairs), [("nul", "name")]);
    assert_eq!(Span::parse(&bytes).unwrap().name.get(), "a\u{fffd}b");
}

#[test]
fn dropped_attributes_are_reported_and_nothing_is_changed() {
    let dropped = span().varint(10, 3);
    let (bytes, repairs) = repaired(&dropped);
    assert_eq!((bytes, rules(&repairs)), (dropped.0, vec![("dropped-attributes", "3 attributes")]));
}

mod times {
    use super::*;

    fn times(span: &Message) -> (u64, u64, Vec<&'static str>) {
        let (bytes, repairs) = repaired(span);
        let span = Span::parse(&bytes).unwrap();
        (span.start, span.end, repairs.iter().map(|(rule, _)| *rule).collect())
    }

    fn with_event(span: Message, time: u64) -> Message {
        span.bytes(11, Message::default().fixed(1, time).bytes(2, "event").0)
    }

    #[test]
    fn a_span_without_an_end_ends_with_what_is_known_of_it() {
        for end in [0, 1 << 63, u64::MAX, START - 1] {
            assert_eq!(times(&timed(START, end)), (START, START, vec!["end-time"]));
            assert_eq!(times(&with_event(timed(START, end), START + 5)), (START, START + 5, vec!["end-time"]));
        }
    }

    #[test]
    fn a_span_without_a_start_starts_with_what_is_known_of_it() {
        for start in [0, 1 << 63, u64::MAX] {
            assert_eq!(times(&timed(start, END)), (END, END, vec!["start-time"]));
            assert_eq!(times(&with_event(timed(start, END), START)), (START, END, vec!["start-time"]));
        }
    }

    #[test]
    fn a_span_without_any_time_is_one_of_1970() {
        assert_eq!(times(&timed(u64::MAX, u64::MAX)), (0, 0, vec!["start-time", "end-time"]));
        assert_eq!(times(&timed(0, 0)), (0, 0, vec![]));
    }

    #[test]
    fn the_greatest_times_that_fit_are_left_alone() {
        let greatest = i64::MAX as u64;
        assert_eq!(times(&timed(greatest, greatest)), (greatest, greatest, vec![]));
    }
}

mod ids {
    use super::*;

    #[test]
    fn ids_that_are_too_short_get_zeros_in_front() {
        let (bytes, repairs) = repaired(&identified(&[1, 2], &[3], &[4]));
        let places = [("trace-id", "trace_id"), ("span-id", "span_id"), ("parent-id", "parent_span_id")];
        assert_eq!(rules(&repairs), places);
        let span = Span::parse(&bytes).unwrap();
        assert_eq!((span.trace_id.len(), span.trace_id[14..].to_vec()), (16, vec![1, 2]));
        assert_eq!((span.span_id, span.parent_span_id), (&[0, 0, 0, 0, 0, 0, 0, 3][..], &[0, 0, 0, 0, 0, 0, 0, 4][..]));
    }

    #[test]
    fn a_parent_that_cannot_be_one_makes_a_root() {
        for parent in [&[9; 9][..], &SPAN_ID] {
            let (bytes, repairs) = repaired(&identified(&TRACE_ID, &SPAN_ID, parent));
            assert_eq!(rules(&repairs), [("parent-id", "parent_span_id")]);
            assert!(Span::parse(&bytes).unwrap().is_root());
        }
    }

    #[test]
    fn a_span_without_usable_ids_is_quarantined_with_the_reason() {
        for (trace, span, said) in [
            (&[][..], &SPAN_ID[..], "the trace id is missing"),
            (&[0; 16], &SPAN_ID, "the trace id is all zeros"),
            (&[1; 17], &SPAN_ID, "the trace id has 17 bytes"),
            (&TRACE_ID, &[], "the span id is missing"),
            (&TRACE_ID, &[0; 8], "the span id is all zeros"),
            (&TRACE_ID, &[1; 9], "the span id has 9 bytes"),
        ] {
            let message = identified(trace, span, &[]);
            let reason = repair::span(&Span::parse(&message.0).unwrap()).unwrap_err();
            assert!(reason.starts_with(said), "{reason}");
        }
    }
}

mod envelopes {
    use super::*;

    fn resource(envelope: &[u8]) -> (Cow<'_, [u8]>, Vec<(&'static str, String)>) {
        repair::resource(envelope, &resource_attributes(envelope).unwrap())
    }

    #[test]
    fn sound_envelopes_are_borrowed() {
        let shop = Message::default().key_value(1, "service.name", encoded("shop"));
        let envelope = Message::default().bytes(1, shop.0).bytes(3, "https://schema").0;
        assert!(matches!(resource(&envelope), (Cow::Borrowed(same), notes) if same == envelope && notes.is_empty()));
        let scope = Message::default().bytes(1, "scope").bytes(2, "1.0").key_value(3, "nul", encoded("\0"));
        let envelope = Message::default().bytes(1, scope.0).0;
        assert!(
            matches!(repair::scope(&envelope), (Cow::Borrowed(same), notes) if same == envelope && notes.is_empty())
        );
    }

    #[test]
    fn a_resource_holds_what_can_become_trace_tags() {
        let message = Message::default()
            .key_value(1, "nan", double(f64::NAN))
            .key_value(1, "nul", encoded("a\0b"))
            .key_value(1, "bytes", Message::default().bytes(7, [255]).0)
            .key_value(
                1,
                "list",
                Message::default().bytes(5, Message::default().bytes(1, Message::default().bytes(7, [255]).0).0).0,
            )
            .key_value(1, "text", Message::default().bytes(1, b"\xff").0)
            .bytes(3, Message::default().bytes(2, b"\xff").0);
        let envelope = Message::default().bytes(1, message.0).bytes(3, b"\xff").0;
        let (repaired, notes) = resource(&envelope);
        let expected = [
            ("not-finite", "resource: nan"),
            ("nul", "resource: nul"),
            ("bytes", "resource: bytes"),
            ("bytes", "resource: list"),
            ("invalid-utf8", "resource: text"),
            ("invalid-utf8", "resource: entity_refs"),
            ("invalid-utf8", "resource: schema_url"),
        ];
        assert_eq!(rules(&notes), expected);
        let attributes = resource_attributes(&repaired).unwrap();
        let texts: Vec<_> = attributes.iter().map(|attribute| attribute.value.as_str().unwrap()).collect();
        assert_eq!(texts, ["NaN", "a\u{fffd}b", "/w==", "[\"/w==\"]", "\u{fffd}"]);
    }

    #[test]
    fn a_scope_holds_text_and_finite_numbers() {
        let scope = Message::default().bytes(1, b"\xff").bytes(2, b"\xff").key_value(3, "nan", double(f64::NAN));
        let envelope = Message::default().bytes(1, scope.0).0;
        let (_, notes) = repair::scope(&envelope);
        let expected =
            [("invalid-utf8", "scope: name"), ("invalid-utf8", "scope: version"), ("not-finite", "scope: nan")];
        assert_eq!(rules(&notes), expected);
    }
}
