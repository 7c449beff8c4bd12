use serde_json::json;

use super::text::width;
use super::*;

/// Milliseconds after the start of the trace, in nanoseconds since the Unix epoch.
fn at(ms: u64) -> u64 {
    1_760_000_000_000_000_000 + ms * 1_000_000
}

fn span(id: &str, parent: Option<&str>, kind: &str, name: &str, from_to: (u64, u64)) -> Value {
    json!({
        "trace_id": "8zG/mBbrEQjtH8qMEd1NjQ==", "span_id": id, "parent_span_id": parent, "name": name,
        "start_time_unix_nano": at(from_to.0), "end_time_unix_nano": at(from_to.1),
        "events": [], "status": {"code": "STATUS_CODE_OK", "message": ""},
        "attributes": {"mlflow.spanType": format!("\"{kind}\"")}, "links": [],
    })
}

fn llm(mut span: Value, model: &str, tokens: (u64, u64), cost: f64) -> Value {
    let usage = json!({"input_tokens": tokens.0, "output_tokens": tokens.1, "total_tokens": tokens.0 + tokens.1});
    let cost = json!({"input_cost": cost / 2.0, "output_cost": cost / 2.0, "total_cost": cost});
    span["attributes"]["mlflow.chat.tokenUsage"] = usage.to_string().into();
    span["attributes"]["mlflow.llm.cost"] = cost.to_string().into();
    span["attributes"]["mlflow.llm.model"] = json!(model).to_string().into();
    span
}

fn failing(mut span: Value, kind: &str, message: &str) -> Value {
    span["status"] = json!({"code": "STATUS_CODE_ERROR", "message": format!("{kind}: {message}")});
    span["events"] = json!([{
        "name": "exception", "time_unix_nano": at(1),
        "attributes": {"exception.type": kind, "exception.message": message, "exception.stacktrace": "…"},
    }]);
    span
}

fn trace(state: &str, spans: &[Value]) -> Vec<u8> {
    let info = json!({
        "trace_id": "tr-f331bf9816eb1108ed1fca8c11dd4d8d", "state": state, "execution_duration_ms": 2310,
        "trace_metadata": {
            "mlflow.trace.tokenUsage": "{\"input_tokens\": 1832, \"output_tokens\": 214, \"total_tokens\": 2046}",
            "mlflow.trace.cost": "{\"input_cost\": 0.0004, \"output_cost\": 0.0003, \"total_cost\": 0.0007}",
        },
        "tags": {"mlflow.traceName": "trip planner"},
    });
    json!({"info": info, "data": {"spans": spans}}).to_string().into_bytes()
}

fn trip() -> Vec<Value> {
    vec![
        span("root", None, "AGENT", "trip planner", (0, 2310)),
        span("plan", Some("root"), "CHAIN", "plan", (10, 900)),
        llm(
            span("chat", Some("plan"), "LLM", "ChatCompletion", (20, 890)),
            "gpt-4o-mini-2024-07-18",
            (832, 114),
            0.0003,
        ),
        failing(span("fare", Some("root"), "TOOL", "find_fare", (910, 1210)), "ValueError", "no such city: Atlantis"),
        span("docs", Some("root"), "RETRIEVER", "guide", (1220, 1221)),
        llm(
            span("last", Some("root"), "LLM", "ChatCompletion", (1300, 2300)),
            "gpt-4o-mini-2024-07-18",
            (1000, 100),
            0.0004,
        ),
    ]
}

fn plain(trace: &[u8], columns: usize) -> String {
    let text = draw(trace, "travel", columns).unwrap().expect("a finished trace");
    anstream::adapter::strip_str(&text).to_string()
}

#[test]
fn given_a_trace_then_it_is_a_tree_with_aligned_columns() {
    insta::assert_snapshot!(plain(&trace("OK", &trip()), 120));
}

#[test]
fn given_a_narrow_terminal_then_columns_give_way() {
    insta::assert_snapshot!(plain(&trace("OK", &trip()), 60));
}

#[test]
fn given_colours_then_each_type_has_its_own_and_errors_are_red() {
    let text = draw(&trace("ERROR", &trip()), "travel", 120).unwrap().unwrap();
    insta::assert_snapshot!(text.replace('\u{1b}', "ESC"));
}

#[test]
fn given_names_that_are_long_wide_or_hostile_then_they_stay_in_their_column() {
    let spans = [
        span("root", None, "AGENT", &"a very long name ".repeat(20), (0, 10)),
        span("wide", Some("root"), "CHAIN", "東京タワーの近くでおすすめのレストラン", (1, 2)),
        span("evil", Some("root"), "TOOL", "clear\u{1b}[2J\rover\nwritten", (2, 3)),
    ];
    insta::assert_snapshot!(plain(&trace("OK", &spans), 100));
}

#[test]
fn given_any_width_then_no_line_is_wider() {
    let deep: Vec<_> = (0..60)
        .map(|depth: u32| {
            let parent = depth.checked_sub(1).map(|parent| parent.to_string());
            let deeper = span(&depth.to_string(), parent.as_deref(), "CHAIN", "step", (depth.into(), 100));
            failing(deeper, "Error", &"too deep ".repeat(20))
        })
        .collect();
    for spans in [trip(), deep] {
        for columns in [40, 41, 57, 80, 133, 250] {
            for line in plain(&trace("OK", &spans), columns).lines() {
                assert!(width(line) <= columns, "{} > {columns}: {line}", width(line));
            }
        }
    }
}

#[test]
fn given_parents_that_are_missing_or_go_in_circles_then_every_span_is_there_once() {
    let spans = [
        span("orphan", Some("nowhere"), "LLM", "orphan", (5, 6)),
        span("a", Some("b"), "CHAIN", "circle a", (1, 4)),
        span("b", Some("a"), "CHAIN", "circle b", (2, 3)),
        span("self", Some("self"), "TOOL", "its own parent", (7, 8)),
    ];
    insta::assert_snapshot!(plain(&trace("OK", &spans), 100));
}

#[test]
fn given_a_trace_deeper_than_a_stack_then_it_is_drawn() {
    let spans: Vec<_> = (0..50_000_u64)
        .map(|depth| {
            let parent = depth.checked_sub(1).map(|parent| parent.to_string());
            span(&depth.to_string(), parent.as_deref(), "CHAIN", "step", (depth, 200_000))
        })
        .collect();
    let text = plain(&trace("OK", &spans), 100);
    assert!(text.ends_with("… and 49800 more spans\n"), "{}", text.lines().last().unwrap());
}

#[test]
fn given_an_unfinished_trace_then_nothing_is_drawn() {
    assert!(draw(&trace("IN_PROGRESS", &trip()), "travel", 100).unwrap().is_none());
}

#[test]
fn given_a_span_that_has_not_ended_then_it_says_so() {
    let mut open = span("root", None, "AGENT", "still at work", (0, 0));
    open["end_time_unix_nano"] = Value::Null;
    assert!(plain(&trace("OK", &[open]), 100).contains("not ended"));
}

#[test]
fn given_something_else_than_a_trace_then_that_is_an_error() {
    for bytes in [&b"garbage"[..], b"{}", b"[]", b"{\"info\": {}}"] {
        assert!(draw(bytes, "travel", 100).is_err());
    }
}
