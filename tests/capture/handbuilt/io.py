"""Inputs and outputs: which values are JSON, which are text, which are skipped."""

from capture.handbuilt.builder import Case, Trace, payload, siblings

_VALUES = {
    "object": '{"question": "why?", "depth": 2}',
    "array": '["a", 1, null]',
    "JSON string": '"quoted"',
    "JSON string holding JSON": '"{\\"a\\": 1}"',
    "text": "plain text",
    "number": "42",
    "boolean": "true",
    "null": "null",
    "empty text": "",
    "empty object": "{}",
    "empty array": "[]",
    "empty JSON string": '""',
    "spaces around": '  {"a": 1}\n',
    "broken JSON": '{"a": 1',
    "duplicate keys": '{"a": 1, "a": 2}',
    "NaN inside": '{"a": NaN}',
    "big integer": '{"a": 12345678901234567890123}',
    "escapes": '{"a": "\\u00e9\\ud83d\\ude00\\n"}',
    "unicode": "Grüße, 世界 🌍",
}

_TYPED = {
    "int": 7,
    "zero": 0,
    "double": 1.5,
    "true": True,
    "false": False,
    "bytes": b"\x00\xffabc",
    "list": ["a", "b"],
    "empty list": [],
    "map": {"a": 1, "b": {"c": "d"}},
    "not set": None,
}


def _in_and_out(values: dict) -> dict:
    return {name: {"input.value": value, "output.value": value} for name, value in values.items()}


def io_strings() -> Case:
    return payload("Values that are strings.", siblings("io_strings", "CHAIN", _in_and_out(_VALUES)))


def io_types() -> Case:
    return payload("Values of every OTLP type.", siblings("io_types", "CHAIN", _in_and_out(_TYPED)))


def io_mime() -> Case:
    trace = siblings(
        "io_mime",
        "CHAIN",
        {
            "text that is JSON": {"input.value": '{"a": 1}', "input.mime_type": "text/plain"},
            "JSON that is text": {"input.value": "not json", "input.mime_type": "application/json"},
        },
    )
    return payload("The MIME type says one thing, the value another.", trace)


def io_preset() -> Case:
    trace = Trace("io_preset")
    both = {"input.value": '{"from": "openinference"}', "output.value": "openinference"}
    preset = {"mlflow.spanInputs": '{"from": "producer"}', "mlflow.spanOutputs": '"producer"'}
    trace.span("root", "CHAIN", both | preset)
    trace.span("inputs only", "CHAIN", both | {"mlflow.spanInputs": '{"from": "producer"}'}, parent="root")
    return payload("The producer has set mlflow.spanInputs and mlflow.spanOutputs itself.", trace)


def io_preview_long() -> Case:
    trace = Trace("io_preview_long")
    trace.span("root", "CHAIN", {"input.value": "äß🌍 " * 800, "output.value": '{"text": "' + "x" * 3000 + '"}'})
    return payload("Inputs and outputs of a root that are longer than a trace preview.", trace)


def io_root_without() -> Case:
    trace = Trace("io_root_without")
    trace.span("root", "AGENT")
    trace.span("first", "LLM", {"input.value": "question", "output.value": "draft"}, parent="root")
    trace.span("last", "LLM", {"input.value": "draft", "output.value": "answer"}, parent="root")
    return payload("A root without values of its own above two LLM spans that have some.", trace)


CASES = {
    "io_strings": io_strings,
    "io_types": io_types,
    "io_mime": io_mime,
    "io_preset": io_preset,
    "io_preview_long": io_preview_long,
    "io_root_without": io_root_without,
}
