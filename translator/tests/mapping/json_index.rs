//! The JSON index against serde_json, on random JSON and on text that is nearly JSON.

use openinference_mlflow_translator::json::{self, Fault, JsonIndex, JsonValue, Kind};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value};

/// A value of JSON text, with all that Python reads and JSON lacks.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("NaN".to_owned()),
        Just("-Infinity".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| format!("{number:e}")),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?",
        string(),
    ];
    leaf.prop_recursive(45, 120, 5, |inner| {
        let space = prop_oneof![Just(""), Just(" "), Just("\n\t")];
        let key = prop_oneof![string(), Just("\"a\"".to_owned()), Just("\"\\u0061\"".to_owned())];
        prop_oneof![
            (vec(inner.clone(), 0..5), space.clone())
                .prop_map(|(items, space)| format!("[{space}{}{space}]", items.join(&format!("{space},{space}")))),
            (vec((key, inner), 0..5), space).prop_map(|(entries, space)| {
                let entries: Vec<_> =
                    entries.iter().map(|(key, value)| format!("{key}{space}:{space}{value}")).collect();
                format!("{{{space}{}{space}}}", entries.join(","))
            }),
        ]
    })
}

/// A string with escapes, pairs of surrogates and halves of them.
fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z é🌍]{0,12}",
        Just("\\n".to_owned()),
        Just("\\\"".to_owned()),
        Just("\\\\".to_owned()),
        Just("\\/".to_owned()),
        Just("\\u0000".to_owned()),
        Just("\\uD83D\\uDE00".to_owned()),
        Just("\\ud83d".to_owned()),
        Just("\\ude00".to_owned()),
    ];
    vec(piece, 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// JSON text of which a few characters were lost, doubled or swapped.
fn nearly() -> impl Strategy<Value = String> {
    (value(), vec((any::<prop::sample::Index>(), 0..3u8), 0..3)).prop_map(|(text, changes)| {
        let mut characters: Vec<char> = text.chars().collect();
        for (at, change) in changes {
            let at = at.index(characters.len().max(1));
            match change {
                0 if at < characters.len() => drop(characters.remove(at)),
                1 if at < characters.len() => characters.insert(at, characters[at]),
                _ => characters.insert(at, ','),
            }
        }
        characters.into_iter().collect()
    })
}

/// What the index says, as serde_json has it.
fn rebuilt(value: JsonValue<'_>) -> Value {
    match value.kind() {
        Kind::Object => {
            let text = |key: JsonValue<'_>| key.string().unwrap().into_owned();
            value.entries().map(|(key, value)| (text(key), rebuilt(value))).collect::<Map<_, _>>().into()
        }
        Kind::Array => value.items().map(rebuilt).collect(),
        Kind::String => value.string().unwrap().into_owned().into(),
        Kind::Other => serde_json::from_str(value.text()).unwrap_or_else(|_| value.text().into()),
    }
}

fn has_consistent_lookups(value: JsonValue<'_>) -> bool {
    let children: Vec<_> = value.entries().map(|(_, value)| value).chain(value.items()).collect();
    let lookups = value.entries().all(|(key, _)| {
        let key = key.string().unwrap();
        let last = value.entries().filter(|(other, _)| other.string().unwrap() == key).last().unwrap().1;
        value.field(&key).is_some_and(|found| found.is(last))
    });
    let is_empty = children.is_empty() || !value.is_empty();
    lookups && is_empty && children.into_iter().all(has_consistent_lookups)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_indexed_text_holds_what_serde_json_reads_in_it(text in prop_oneof![value(), nearly()]) {
        // Without NaN, infinities, lone surrogates and NUL, which serde_json does not read or MLflow does not hold.
        let cleaned = json::clean(&text);
        let read: Option<Value> = serde_json::from_str(&cleaned).ok();
        let is_structured = read.as_ref().is_some_and(|value| value.is_object() || value.is_array() || value.is_string());
        match JsonIndex::read(&text) {
            Some(index) => {
                let root = index.root(&text);
                // Of a number beyond a double's range Python makes an infinity; serde_json refuses it.
                let Some(read) = read else {
                    prop_assert!(cleaned.contains(['e', 'E']), "{text}");
                    return Ok(());
                };
                prop_assert_eq!(rebuilt(root), read);
                prop_assert!(has_consistent_lookups(root));
                prop_assert_eq!(root.text(), text.trim_matches([' ', '\t', '\n', '\r']));
            }
            None => {
                let is_beyond_limits = matches!(json::read(&text), Err(Fault::TooDeep | Fault::BigInteger));
                prop_assert!(!is_structured || is_beyond_limits, "{text} is not indexed");
            }
        }
    }

    #[test]
    fn an_index_is_made_of_what_the_reader_takes_for_structured(text in prop_oneof![value(), nearly(), "[\\[\\]{}\",: a1\\\\]{0,12}"]) {
        prop_assert_eq!(JsonIndex::read(&text).is_some(), json::is_structured(&text));
    }
}

#[test]
fn nesting_ends_where_mlflow_ends() {
    for (levels, fits) in [(1, true), (47, true), (48, false), (10_000, false)] {
        let text = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(JsonIndex::read(&text).is_some(), fits, "{levels}");
    }
    for (levels, fits) in [(31, true), (32, false)] {
        let text = format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        let index = JsonIndex::read(&text);
        assert_eq!(index.is_some(), fits, "{levels}");
        if let Some(index) = index {
            let innermost = (0..levels).try_fold(index.root(&text), |value, _| value.field("a"));
            assert_eq!(innermost.map(|value| value.text()), Some("1"));
        }
    }
}
