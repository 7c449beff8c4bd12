//! Copies JSON with some of its values replaced.

use crate::json::JsonValue;

/// Writes a value; whether anything in it was replaced. `replace` gets each value with its key, and writes it or leaves it: then
/// what is in it is looked at. As deep as the value is nested, which [`JsonIndex`](crate::json::JsonIndex) bounds.
pub(super) fn rewrite<'a>(
    value: JsonValue<'a>,
    out: &mut String,
    replace: &impl Fn(Option<JsonValue<'a>>, JsonValue<'a>, &mut String) -> Option<bool>,
) -> bool {
    keyed(None, value, out, replace)
}

fn keyed<'a>(
    key: Option<JsonValue<'a>>,
    value: JsonValue<'a>,
    out: &mut String,
    replace: &impl Fn(Option<JsonValue<'a>>, JsonValue<'a>, &mut String) -> Option<bool>,
) -> bool {
    if let Some(found) = replace(key, value, out) {
        return found;
    }
    let (mut found, mut separator) = (false, "");
    if value.is_array() {
        out.push('[');
        for item in value.items() {
            out.push_str(std::mem::replace(&mut separator, ", "));
            found |= keyed(None, item, out, replace);
        }
        out.push(']');
    } else if value.is_object() {
        out.push('{');
        for (key, value) in value.entries() {
            out.push_str(std::mem::replace(&mut separator, ", "));
            out.push_str(key.text());
            out.push_str(": ");
            found |= keyed(Some(key), value, out, replace);
        }
        out.push('}');
    } else {
        out.push_str(value.text());
    }
    found
}
