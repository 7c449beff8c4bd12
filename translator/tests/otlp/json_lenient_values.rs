//! Attribute values as clients write them; an odd one never costs the others.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};

use crate::oracle::{attributes, text, value};

fn int(int: i64) -> Option<Value> {
    Some(Value::IntValue(int))
}

fn list(values: impl IntoIterator<Item = Option<Value>>) -> Option<Value> {
    let values = values.into_iter().map(|value| AnyValue { value }).collect();
    Some(Value::ArrayValue(ArrayValue { values }))
}

fn entries<const N: usize>(entries: [(&str, Option<Value>); N]) -> Vec<KeyValue> {
    let entry = |(key, value): (&str, _)| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value }),
        ..Default::default()
    };
    entries.map(entry).to_vec()
}

#[test]
fn a_64_bit_integer_is_text_or_number() {
    for (json, expected) in [
        (r#""42""#, 42),
        ("42", 42),
        ("-1", -1),
        (r#"" -1 ""#, -1),
        ("42.0", 42),
        ("4.2e1", 42),
        (r#""4.2e1""#, 42),
        ("9223372036854775807", i64::MAX),
        (r#""-9223372036854775808""#, i64::MIN),
    ] {
        assert_eq!(value(&format!(r#"{{"intValue":{json}}}"#)), int(expected), "{json}");
    }
}

#[test]
fn an_integer_beyond_64_bits_keeps_its_digits_as_text() {
    assert_eq!(value(r#"{"intValue":"9223372036854775808"}"#), text("9223372036854775808"));
    assert_eq!(value(r#"{"intValue":18446744073709551615}"#), text("18446744073709551615"));
}

#[test]
fn an_integer_that_is_a_fraction_is_a_double() {
    assert_eq!(value(r#"{"intValue":1.5}"#), Some(Value::DoubleValue(1.5)));
    assert_eq!(value(r#"{"intValue":1e20}"#), Some(Value::DoubleValue(1e20)));
}

#[test]
fn a_double_is_a_number_or_text_and_need_not_be_finite() {
    for (json, expected) in [
        ("0.1", 0.1),
        ("3", 3.0),
        (r#""2.5""#, 2.5),
        (r#""Infinity""#, f64::INFINITY),
        (r#""-Infinity""#, f64::NEG_INFINITY),
        ("Infinity", f64::INFINITY),
        ("-Infinity", f64::NEG_INFINITY),
        ("2.2250738585072014e-308", f64::MIN_POSITIVE),
        ("5e-324", 5e-324),
    ] {
        let found = value(&format!(r#"{{"doubleValue":{json}}}"#));
        assert_eq!(found, Some(Value::DoubleValue(expected)), "{json}");
    }
    for nan in [r#""NaN""#, "NaN"] {
        let found = value(&format!(r#"{{"doubleValue": {nan} }}"#));
        assert!(matches!(found, Some(Value::DoubleValue(double)) if double.is_nan()), "{nan}: {found:?}");
    }
}

#[test]
fn a_bare_nan_within_a_text_stays_text() {
    assert_eq!(value(r#"{"stringValue":"[NaN, -Infinity, \"NaN\"]"}"#), text(r#"[NaN, -Infinity, "NaN"]"#));
}

#[test]
fn a_boolean_is_a_boolean_text_or_one_and_zero() {
    for (json, expected) in
        [("true", true), ("false", false), (r#""true""#, true), (r#""False""#, false), ("1", true), ("0", false)]
    {
        assert_eq!(value(&format!(r#"{{"boolValue":{json}}}"#)), Some(Value::BoolValue(expected)), "{json}");
    }
}

#[test]
fn bytes_are_base64_in_either_alphabet_padded_or_not() {
    for json in ["-_8=", "-_8", "+/8=", "+/8"] {
        let found = value(&format!(r#"{{"bytesValue":"{json}"}}"#));
        assert_eq!(found, Some(Value::BytesValue(vec![0xFB, 0xFF])), "{json}");
    }
    assert_eq!(value(r#"{"bytesValue":""}"#), Some(Value::BytesValue(vec![])));
}

#[test]
fn a_value_that_does_not_fit_its_type_is_what_it_is() {
    assert_eq!(value(r#"{"intValue":"many"}"#), text("many"));
    assert_eq!(value(r#"{"intValue":true}"#), Some(Value::BoolValue(true)));
    assert_eq!(value(r#"{"doubleValue":"much"}"#), text("much"));
    assert_eq!(value(r#"{"boolValue":"yes"}"#), text("yes"));
    assert_eq!(value(r#"{"boolValue":2}"#), int(2));
    assert_eq!(value(r#"{"bytesValue":"not base64!"}"#), text("not base64!"));
    assert_eq!(value(r#"{"stringValue":["a",1]}"#), list([text("a"), int(1)]));
    assert_eq!(value(r#"{"stringValue":{"stringValue":"a"}}"#), text("a"));
}

#[test]
fn a_text_value_takes_numbers_and_booleans_as_text() {
    assert_eq!(value(r#"{"stringValue":12}"#), text("12"));
    assert_eq!(value(r#"{"stringValue":1.5}"#), text("1.5"));
    assert_eq!(value(r#"{"stringValue":false}"#), text("false"));
}

#[test]
fn a_bare_json_value_is_taken_for_what_it_is() {
    assert_eq!(value(r#""x""#), text("x"));
    assert_eq!(value("3"), int(3));
    assert_eq!(value("3.0"), Some(Value::DoubleValue(3.0)));
    assert_eq!(value("true"), Some(Value::BoolValue(true)));
    assert_eq!(value(r#"["a",null,{"intValue":1}]"#), list([text("a"), None, int(1)]));
}

#[test]
fn a_value_without_a_known_type_is_empty_and_the_attribute_stays() {
    for json in ["{}", "null", r#"{"doubleValue":null}"#, r#"{"arrayValue":null}"#, r#"{"futureValue":[1]}"#] {
        assert_eq!(value(json), None, "{json}");
    }
    assert_eq!(attributes(r#"[{"key":"k"}]"#)[0].key, "k");
}

#[test]
fn of_several_types_the_last_that_is_there_counts() {
    assert_eq!(value(r#"{"stringValue":"a","intValue":1}"#), int(1));
    assert_eq!(value(r#"{"stringValue":"a","intValue":null}"#), text("a"));
}

#[test]
fn types_may_be_named_in_snake_case() {
    assert_eq!(value(r#"{"string_value":"a"}"#), text("a"));
    assert_eq!(value(r#"{"array_value":{"values":[{"int_value":"1"}]}}"#), list([int(1)]));
    let expected = Some(Value::KvlistValue(KeyValueList { values: entries([("a", text("b"))]) }));
    assert_eq!(value(r#"{"kvlist_value":{"values":[{"key":"a","value":{"string_value":"b"}}]}}"#), expected);
}

#[test]
fn empty_lists_are_lists_in_every_spelling() {
    for json in [
        r#"{"arrayValue":{}}"#,
        r#"{"arrayValue":{"values":[]}}"#,
        r#"{"arrayValue":{"values":null}}"#,
        r#"{"arrayValue":[]}"#,
        "[]",
    ] {
        assert_eq!(value(json), list([]), "{json}");
    }
    for json in [r#"{"kvlistValue":{}}"#, r#"{"kvlistValue":{"values":[]}}"#, r#"{"kvlistValue":[]}"#] {
        assert_eq!(value(json), Some(Value::KvlistValue(KeyValueList::default())), "{json}");
    }
}

#[test]
fn each_place_in_an_array_counts_also_an_empty_one() {
    let json = r#"{"arrayValue":{"values":[{"stringValue":"a"},{},null,{"stringValue":"b"}]}}"#;
    assert_eq!(value(json), list([text("a"), None, None, text("b")]));
}

#[test]
fn attributes_may_be_an_object_of_names_and_values() {
    let found = attributes(r#"{"a":"x","b":{"intValue":"2"},"c\n":null}"#);
    assert_eq!(found, entries([("a", text("x")), ("b", int(2)), ("c\n", None)]));
}

#[test]
fn structs_that_go_marshals_with_encoding_json_are_understood() {
    let found = attributes(
        r#"[{"key":"a","value":{"Value":{"StringValue":"x"}}},
        {"key":"b","value":{"Value":{"ArrayValue":{"values":[{"Value":{"IntValue":1}}]}}}}]"#,
    );
    assert_eq!(found, entries([("a", text("x")), ("b", list([int(1)]))]));
}
