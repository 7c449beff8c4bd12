//! Prompts: what a prompt was made of, and the registered prompt it came from.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::attribute_builder::AttributeBuilder;
use super::span_view::SpanView;
use crate::json;
use crate::mlflow::AddedAttributes;
use crate::mlflow::keys::{LINKED_PROMPTS, SPAN_INPUTS, SPAN_OUTPUTS};
use crate::openinference::{Family, Key};
use crate::otlp::Span;

/// What a prompt's inputs say, and under which name.
const PARTS: [(Key, &str); 6] = [
    (Key::PromptTemplate, "template"),
    (Key::PromptVariables, "variables"),
    (Key::PromptVersion, "version"),
    (Key::PromptId, "id"),
    (Key::PromptUrl, "url"),
    (Key::PromptVendor, "vendor"),
];

/// The scheme of a registered prompt's address: `prompts:/name/version`.
const SCHEME: &str = "prompts:/";

/// How far the name of a variable is looked for, in bytes: not to the end of the template from each brace.
const LONGEST_NAME: usize = 128;

/// Adds the inputs and outputs of a span that renders a prompt, and on any span the link to MLflow's own prompt, and the inputs
/// in place of printed objects.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    if !view.families().contains(Family::Prompt) {
        return;
    }
    let value = |key: Key| view.value(key);
    let is_prompt = view.text(Key::SpanKind).is_some_and(|kind| kind.trim().eq_ignore_ascii_case("PROMPT"));
    // On other spans, what the prompt was made of reads better than its object as Python prints it.
    let is_printed = || view.text(Key::PromptTemplate).is_some() && view.is_printed(Key::InputValue);
    if added.lacks(SPAN_INPUTS) && (is_prompt && value(Key::InputValue).is_none() || is_printed()) {
        add_parts(view, added);
    }
    if is_prompt
        && added.lacks(SPAN_OUTPUTS)
        && value(Key::OutputValue).is_none()
        && let Some(text) = rendered(view)
    {
        added.add_text(SPAN_OUTPUTS, json::storable(&text).into_owned());
    }
    if added.lacks(LINKED_PROMPTS)
        && let Some((name, version)) = registered(view)
    {
        added.add_text(
            LINKED_PROMPTS,
            json::clean(&json!([{"name": name, "version": version}]).to_string()).into_owned(),
        );
    }
}

/// The registered prompts that a span is linked to, each as JSON: `{"name": …, "version": …}`.
pub fn links(span: &Span<'_>, added: &AddedAttributes<'_>) -> Vec<String> {
    let Some(links) = super::stored(span, added, LINKED_PROMPTS) else { return Vec::new() };
    let link = |link| {
        let [name, version] = json::fields(link, ["name", "version"]);
        let (name, version) = (json::string(name?)?, json::string(version?)?);
        Some(json::clean(&json!({"name": name, "version": version}).to_string()).into_owned())
    };
    json::items(&links.as_text()).filter_map(link).take(MOST_LINKS).collect()
}

/// The most prompts that a trace is linked to: each root lists all of them.
pub const MOST_LINKS: usize = 100;
/// How much a prompt whose variables are in place may be, in bytes, but for what one more variable adds.
const LONGEST_RENDERED: usize = 1 << 20;

fn add_parts(view: &SpanView<'_, '_>, added: &mut AttributeBuilder<'_, '_, '_>) {
    let part = |(key, name): &(Key, &str)| {
        let value = view.value(*key)?;
        Some(((*name).to_owned(), parsed(&value.as_text())))
    };
    let inputs: Map<String, Value> = PARTS.iter().filter_map(part).collect();
    if !inputs.is_empty() {
        added.add_text(SPAN_INPUTS, json::clean(&Value::from(inputs).to_string()).into_owned());
    }
}

/// A value as MLflow reads it: text that spells JSON is that value.
fn parsed(text: &str) -> Value {
    let value = json::is_structured(text).then(|| serde_json::from_str(&json::clean(text)).ok()).flatten();
    value.unwrap_or_else(|| text.into())
}

/// The template with its variables in place: `{{name}}`, `{{ name }}` or `{name}`.
fn rendered(view: &SpanView<'_, '_>) -> Option<String> {
    let template = view.text(Key::PromptTemplate)?;
    let variables = view.get(Key::PromptVariables).map(json::value_text).unwrap_or_default();
    let variables = json::string(&variables).unwrap_or(Cow::Borrowed(&variables));
    let values: Map<String, Value> = serde_json::from_str(&json::clean(&variables)).unwrap_or_default();
    let mut out = String::with_capacity(template.len());
    let mut rest = template.as_ref();
    // Left to right and once, so that what a variable holds is never taken for a place.
    while let Some((before, after)) = rest.split_once('{') {
        // A variable may occur many times.
        if out.len() > LONGEST_RENDERED {
            return None;
        }
        out.push_str(before);
        let is_double = after.starts_with('{');
        let (inner, closing) = if is_double { (after.strip_prefix('{').unwrap_or(after), "}}") } else { (after, "}") };
        let end = inner.get(..inner.floor_char_boundary(LONGEST_NAME)).and_then(|start| start.find(closing));
        let place =
            end.and_then(|end| Some((values.get(inner.get(..end)?.trim())?, inner.get(end + closing.len()..)?)));
        match place {
            Some((value, tail)) => {
                match value {
                    Value::String(text) => out.push_str(text),
                    value => out.push_str(&value.to_string()),
                }
                rest = tail;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Some(out)
}

/// The name and version of a prompt in MLflow's registry. A version there is a number; the id is the name, or the whole
/// address.
fn registered(view: &SpanView<'_, '_>) -> Option<(String, String)> {
    if !view.text(Key::PromptVendor)?.trim().eq_ignore_ascii_case("mlflow") {
        return None;
    }
    let id = view.text(Key::PromptId)?;
    let path = id.strip_prefix(SCHEME).unwrap_or(&id);
    let version = view.get(Key::PromptVersion).and_then(json::plain_text);
    let (name, version) = match (path.split_once('/'), version) {
        (Some((name, version)), _) => (name, Cow::Borrowed(version)),
        (None, Some(version)) => (path, version),
        (None, None) => return None,
    };
    let version = version.trim().trim_start_matches(['v', 'V']);
    let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !name.is_empty()).then(|| (name.to_owned(), version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping;
    use crate::otlp::write::Attributes;

    fn added(attributes: &[(&str, &str)], key: &str) -> Option<String> {
        let mut bytes = Attributes::default();
        bytes.put_str("openinference.span.kind", "PROMPT");
        for (name, value) in attributes {
            bytes.put_str(name, value);
        }
        let span = Span::parse(bytes.as_bytes()).expect("a span");
        mapping::span(&span).get(key).map(|value| value.as_text().into_owned())
    }

    const TEMPLATE: (&str, &str) = ("llm.prompt_template.template", "Hello {name}, {{ name }}, {other} {");
    const VARIABLES: (&str, &str) = ("llm.prompt_template.variables", r#"{"name": "{other}"}"#);

    #[test]
    fn a_prompt_has_its_parts_as_inputs_and_its_text_as_outputs() {
        let sent = [TEMPLATE, VARIABLES, ("llm.prompt_template.version", "v3"), ("prompt.id", "p")];
        let inputs = added(&sent, SPAN_INPUTS).and_then(|text| serde_json::from_str::<Value>(&text).ok());
        assert_eq!(
            inputs,
            Some(json!({"template": TEMPLATE.1, "variables": {"name": "{other}"}, "version": "v3", "id": "p"}))
        );
        assert_eq!(added(&sent, SPAN_OUTPUTS).as_deref(), Some("Hello {other}, {other}, {other} {"));
    }

    #[test]
    fn what_the_span_carries_as_values_stays() {
        let sent = [TEMPLATE, VARIABLES, ("input.value", "in"), ("output.value", "out")];
        assert_eq!(added(&sent, SPAN_INPUTS).as_deref(), Some("in"));
        assert_eq!(added(&sent, SPAN_OUTPUTS).as_deref(), Some("out"));
    }

    #[test]
    fn a_printed_prompt_becomes_its_parts_on_any_span() {
        let printed = ("input.value", r#"{"prompt": "PromptTemplate(metadata={})"}"#);
        let inputs = added(&[("openinference.span.kind", "LLM"), TEMPLATE, VARIABLES, printed], SPAN_INPUTS);
        assert!(inputs.is_some_and(|inputs| inputs.contains("Hello {name}") && !inputs.contains("metadata")));
        let read = r#"{"prompt": {"type": "PromptTemplate", "metadata": {}}}"#;
        assert_eq!(added(&[("openinference.span.kind", "LLM"), printed], SPAN_INPUTS).as_deref(), Some(read));
    }

    #[test]
    fn prompts_of_mlflows_registry_are_linked() {
        let linked = |id: &str, version: &str, vendor: &str| {
            let sent = [("prompt.id", id), ("llm.prompt_template.version", version), ("prompt.vendor", vendor)];
            added(&sent, LINKED_PROMPTS)
        };
        let link = r#"[{"name":"greeting","version":"3"}]"#;
        assert_eq!(linked("greeting", "3", "mlflow").as_deref(), Some(link));
        assert_eq!(linked("greeting", "v3", "MLflow").as_deref(), Some(link));
        assert_eq!(linked("prompts:/greeting/3", "", "mlflow").as_deref(), Some(link));
        for (id, version, vendor) in [
            ("greeting", "3", "other"),
            ("greeting", "latest", "mlflow"),
            ("greeting", "", "mlflow"),
            ("", "3", "mlflow"),
        ] {
            assert_eq!(linked(id, version, vendor), None, "{id} {version} {vendor}");
        }
    }

    #[test]
    fn a_prompt_that_would_grow_beyond_all_bounds_is_not_rendered() {
        let variables = json!({"a": "x".repeat(100_000)}).to_string();
        let template = "{a}".repeat(1_000);
        let asked = [("llm.prompt_template.template", &*template), ("llm.prompt_template.variables", &*variables)];
        assert_eq!(added(&asked, SPAN_OUTPUTS), None);
        assert!(added(&[("llm.prompt_template.template", "{a}{a}"), asked[1]], SPAN_OUTPUTS).is_some());
    }
}
