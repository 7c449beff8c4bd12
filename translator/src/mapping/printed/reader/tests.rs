//! What Python prints, and what it says.

use serde_json::{Value, json};

use super::read;

fn parsed(text: &str) -> Option<Value> {
    read(text).map(|read| serde_json::from_str(&read.json).expect("JSON"))
}

#[test]
fn objects_become_json_with_their_class() {
    let printed = r#"Reply(_role=<Role.USER: 'user'>, n=None, ok=True, xs=[1, -2.5e3, (1,), ()], meta={'a': {1, 2}, 3: 'b'}, e=Empty())"#;
    assert_eq!(
        parsed(printed),
        Some(json!({
            "type": "Reply", "role": "user", "n": null, "ok": true, "xs": [1, -2.5e3, [1], []],
            "meta": {"a": [1, 2], "3": "b"}, "e": {"type": "Empty"}
        }))
    );
    assert_eq!(parsed("a.b.Text(text='x', type='own')"), Some(json!({"text": "x", "type": "own"})));
}

#[test]
fn strings_are_what_they_spell() {
    let printed = r#"Text(a='it\'s\n\x41\u00e9\U0001f600', b="'", c='', d=b'\x00')"#;
    let spelled = json!({"type": "Text", "a": "it's\nAé😀", "b": "'", "c": "", "d": r"b'\x00'"});
    assert_eq!(parsed(printed), Some(spelled));
}

#[test]
fn what_has_no_form_in_json_stays_as_python_printed_it() {
    for printed in [
        "datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)",
        "<function f at 0x7f>",
        "<ToolCall(*, name: str, kwargs: dict[str, '>']) -> None>",
        "Error('no (really)')",
        "<Role.USER>",
        "1j",
        "nan",
    ] {
        assert_eq!(parsed(&format!("Event(x={printed})")), Some(json!({"type": "Event", "x": printed})), "{printed}");
    }
}

#[test]
fn what_was_cut_off_is_read_as_far_as_it_goes() {
    let whole = "Out(m=Msg(role='a', blocks=[Text(t='x')], d={'k': 'v', 'l': 2}), at=datetime(2026, 1), done=True)";
    for length in 0..whole.len() {
        let cut = format!("{}...", &whole[..length]);
        assert!(read(&cut).is_none_or(|read| serde_json::from_str::<Value>(&read.json).is_ok()), "{cut}");
    }
    let found = |length: usize| parsed(&format!("{}...", &whole[..length]));
    assert_eq!(found(14), Some(json!({"type": "Out", "m": {"type": "Msg"}})));
    assert_eq!(
        found(46),
        Some(
            json!({"type": "Out", "m": {"type": "Msg", "role": "a", "blocks": [{"type": "Text", "t": "x"}], "d": {}}})
        )
    );
}

#[test]
fn what_a_pretty_printer_broke_into_lines_is_one_object() {
    let printed = "Call(\n    id='1',\n    inputs=Inputs(\n        n=1,\n    ),\n)";
    assert_eq!(parsed(printed), Some(json!({"type": "Call", "id": "1", "inputs": {"type": "Inputs", "n": 1}})));
}

#[test]
fn fields_without_a_class_are_an_object() {
    assert_eq!(
        parsed("role='user' content=None calls=[Call(id='c')] prefix=False"),
        Some(json!({"role": "user", "content": null, "calls": [{"type": "Call", "id": "c"}], "prefix": false}))
    );
    for text in ["a='x'", "a='x' b", "a='x', b='y'", "a=1 b=2"] {
        assert_eq!(parsed(text), None, "{text}");
    }
}

#[test]
fn what_is_not_understood_is_left() {
    let deep = "A(a=".repeat(1000);
    for text in [
        "",
        "A(a=b)",
        "A(a=1",
        "A(a=1) b",
        "A(a=1, 2)",
        "A(a='x)",
        "A(a=[1)",
        "A(a={1: 2, 3})",
        "A(a={1, 2: 3})",
        &deep,
    ] {
        assert_eq!(parsed(text), None, "{text}");
    }
}
