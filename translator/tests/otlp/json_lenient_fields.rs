//! Names, numbers, enums and texts as SDKs, the Collector and hand-written clients write them.

use crate::oracle::{decode, span};

#[test]
fn names_may_be_camel_case_snake_case_or_any_other_case() {
    for body in [
        r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"7"}],"schemaUrl":"s"}]}]}"#,
        r#"{"resource_spans":[{"scope_spans":[{"spans":[{"start_time_unix_nano":"7"}],"schema_url":"s"}]}]}"#,
        r#"{"ResourceSpans":[{"ScopeSpans":[{"Spans":[{"StartTimeUnixNano":"7"}],"SchemaURL":"s"}]}]}"#,
    ] {
        let mut request = decode(body);
        let scope_spans = request.resource_spans.remove(0).scope_spans.remove(0);
        assert_eq!((scope_spans.spans[0].start_time_unix_nano, scope_spans.schema_url.as_str()), (7, "s"), "{body}");
    }
}

#[test]
fn the_names_before_otlp_0_19_are_understood() {
    let body = r#"{"resourceSpans":[{"instrumentationLibrarySpans":[
        {"instrumentationLibrary":{"name":"lib","version":"1"},"spans":[{"name":"old"}]}]}]}"#;
    let scope_spans = decode(body).resource_spans.remove(0).scope_spans.remove(0);
    assert_eq!(scope_spans.scope.map(|scope| scope.name), Some("lib".to_owned()));
    assert_eq!(scope_spans.spans[0].name, "old");
}

#[test]
fn unknown_fields_are_skipped_whatever_they_hold() {
    let span = span(r#""x":{"deep":[1,{"y":null}],"name":"no"},"traceFlags":1,"name":"yes","z":[[[]]]"#);
    assert_eq!(span.name, "yes");
    assert_eq!(span.flags, 0);
}

#[test]
fn null_is_absent_in_every_field() {
    let span = span(
        r#""traceId":null,"name":null,"kind":null,"startTimeUnixNano":null,"attributes":null,"events":null,
        "links":null,"status":null,"flags":null,"droppedAttributesCount":null,"traceState":null"#,
    );
    assert_eq!(span, Default::default());
}

#[test]
fn null_in_a_list_of_messages_is_nothing() {
    let body = r#"{"resourceSpans":[null,{"resource":null,"scopeSpans":[null,{"scope":null,"spans":[null,
        {"name":"one","attributes":[null],"events":[null],"links":[null]},null]}]}]}"#;
    let mut request = decode(body);
    assert_eq!(request.resource_spans.len(), 1);
    let scope_spans = request.resource_spans.remove(0).scope_spans.remove(0);
    assert_eq!(scope_spans.spans.len(), 1);
    let span = &scope_spans.spans[0];
    assert!(span.attributes.is_empty() && span.events.is_empty() && span.links.is_empty());
}

#[test]
fn times_may_be_text_or_number_also_with_an_exponent() {
    for time in
        [r#""1700000000000000000""#, "1700000000000000000", "1.7e18", r#""1.7e18""#, r#"" 1700000000000000000 ""#]
    {
        let span = span(&format!(r#""startTimeUnixNano":{time}"#));
        assert_eq!(span.start_time_unix_nano, 1_700_000_000_000_000_000, "{time}");
    }
}

#[test]
fn times_keep_every_nanosecond() {
    for time in [r#""1795330312344000001""#, "1795330312344000001"] {
        assert_eq!(span(&format!(r#""endTimeUnixNano":{time}"#)).end_time_unix_nano, 1_795_330_312_344_000_001);
    }
}

#[test]
fn a_number_out_of_range_becomes_the_nearest_that_fits() {
    for (time, expected) in [
        ("-1", 0),
        (r#""-1""#, 0),
        ("18446744073709551616", u64::MAX),
        (r#""18446744073709551616""#, u64::MAX),
        ("1e300", u64::MAX),
        ("0.9", 0),
        (r#""""#, 0),
    ] {
        assert_eq!(span(&format!(r#""endTimeUnixNano":{time}"#)).end_time_unix_nano, expected, "{time}");
    }
    let span =
        span(r#""droppedAttributesCount":-3,"droppedEventsCount":4294967296,"droppedLinksCount":"2","flags":1e10"#);
    assert_eq!((span.dropped_attributes_count, span.dropped_events_count), (0, u32::MAX));
    assert_eq!((span.dropped_links_count, span.flags), (2, u32::MAX));
}

#[test]
fn a_span_kind_is_a_number_or_a_name_with_or_without_its_prefix() {
    for (kind, expected) in [
        ("2", 2),
        (r#""2""#, 2),
        ("2.0", 2),
        (r#""SPAN_KIND_SERVER""#, 2),
        (r#""span_kind_server""#, 2),
        (r#""SERVER""#, 2),
        (r#""Client""#, 3),
        (r#""SPAN_KIND_UNSPECIFIED""#, 0),
        (r#""SPAN_KIND_FROM_THE_FUTURE""#, 0),
        (r#""""#, 0),
        ("17", 17),
        ("1e300", 0),
    ] {
        assert_eq!(span(&format!(r#""kind":{kind}"#)).kind, expected, "{kind}");
    }
}

#[test]
fn a_status_code_is_a_number_or_a_name_with_or_without_its_prefix() {
    for (code, expected) in
        [("2", 2), (r#""STATUS_CODE_ERROR""#, 2), (r#""Error""#, 2), (r#""STATUS_CODE_OK""#, 1), (r#""unset""#, 0)]
    {
        let status = span(&format!(r#""status":{{"code":{code}}}"#)).status;
        assert_eq!(status.map(|status| status.code), Some(expected), "{code}");
    }
}

#[test]
fn a_text_that_came_as_number_or_boolean_is_its_text() {
    assert_eq!(span(r#""name":42"#).name, "42");
    assert_eq!(span(r#""name":1.5"#).name, "1.5");
    assert_eq!(span(r#""name":true"#).name, "true");
}

#[test]
fn a_name_given_twice_means_what_it_means_in_protobuf() {
    let span = span(
        r#""name":"first","attributes":[{"key":"a"}],"status":{"code":2},
        "name":"last","attributes":[{"key":"b"}],"status":{"message":"m"}"#,
    );
    assert_eq!(span.name, "last");
    assert_eq!(span.attributes.iter().map(|attribute| attribute.key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(span.status.map(|status| (status.code, status.message)), Some((2, "m".to_owned())));
}

#[test]
fn resource_scope_events_and_links_are_read_in_full() {
    let body = r#"{"resourceSpans":[{
        "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}],"droppedAttributesCount":1,
            "entityRefs":[{"schemaUrl":"u","type":"service","idKeys":["service.name",null],"descriptionKeys":[]}]},
        "scopeSpans":[{"scope":{"name":"n","version":"v","attributes":[{"key":"k"}],"droppedAttributesCount":2},
            "spans":[{"events":[{"timeUnixNano":"3","name":"e","attributes":[{"key":"k"}],"droppedAttributesCount":4}],
                "links":[{"traceState":"t","attributes":[{"key":"k"}],"droppedAttributesCount":5,"flags":6}]}]}]}]}"#;
    let mut resource_spans = decode(body).resource_spans.remove(0);
    let resource = resource_spans.resource.expect("a resource");
    assert_eq!((resource.attributes.len(), resource.dropped_attributes_count), (1, 1));
    assert_eq!(resource.entity_refs[0].r#type, "service");
    assert_eq!(resource.entity_refs[0].id_keys, ["service.name"]);
    let scope_spans = resource_spans.scope_spans.remove(0);
    let scope = scope_spans.scope.expect("a scope");
    assert_eq!((scope.name.as_str(), scope.version.as_str()), ("n", "v"));
    assert_eq!((scope.attributes.len(), scope.dropped_attributes_count), (1, 2));
    let (event, link) = (&scope_spans.spans[0].events[0], &scope_spans.spans[0].links[0]);
    assert_eq!((event.time_unix_nano, event.name.as_str()), (3, "e"));
    assert_eq!((event.attributes.len(), event.dropped_attributes_count), (1, 4));
    assert_eq!((link.trace_state.as_str(), link.attributes.len()), ("t", 1));
    assert_eq!((link.dropped_attributes_count, link.flags), (5, 6));
}
