"""Text that MLflow takes for JSON and then cannot handle, each beside a healthy trace that must not suffer for it.

MLflow parses every string attribute, whatever its key. Observed on 3.17.2: text it stores but cannot return (an
integer outside 64 bits, more than about 48 arrays or 32 objects inside each other), and text for which it refuses the
whole request (1,000 levels, balanced or not; an integer of more than 4,300 digits; half of a surrogate pair in what
becomes the trace's preview).
"""

from collections.abc import Mapping

from capture.handbuilt.builder import Case, Trace, payload


def _beside_healthy(about: str, name: str, attributes: Mapping[str, object]) -> Case:
    trace, healthy = Trace(name), Trace(f"{name}/healthy")
    trace.span("damaged", "LLM", attributes)
    healthy.span("healthy", "LLM", {"input.value": "question", "output.value": "answer"})
    return payload(about, trace, healthy)


def json_text_integer() -> Case:
    attributes = {
        "input.value": '{"id": 18446744073709551615}',
        "note": "[-9223372036854775809]",
        "fits": '{"id": 9223372036854775807}',
    }
    return _beside_healthy(
        "Integers in JSON text that 64 bits with a sign cannot hold.", "json_text_integer", attributes
    )


def json_text_nested() -> Case:
    attributes = {"input.value": '{"a":' * 40 + "1" + "}" * 40, "note": "[" * 60 + "]" * 60}
    return _beside_healthy("JSON text nested more deeply than MLflow can return.", "json_text_nested", attributes)


def json_text_nested_fits() -> Case:
    attributes = {"input.value": '{"a":' * 30 + "1" + "}" * 30, "note": "[" * 45 + "]" * 45}
    return _beside_healthy("JSON text nested as deeply as MLflow can just return.", "json_text_nested_fits", attributes)


def json_text_abyss() -> Case:
    return _beside_healthy("JSON text of 1,100 levels.", "json_text_abyss", {"note": "[" * 1100 + "]" * 1100})


def json_text_unclosed() -> Case:
    return _beside_healthy(
        "Text of 5,000 opening brackets, no JSON at all.", "json_text_unclosed", {"note": "[" * 5000}
    )


def json_text_digits() -> Case:
    return _beside_healthy("A number of 4,301 digits as text.", "json_text_digits", {"note": "9" * 4301})


def json_text_surrogate() -> Case:
    message = '{"messages": [{"role": "user", "content": "half an emoji \\ud83d"}]}'
    return _beside_healthy(
        "Half of a surrogate pair, escaped, in a chat request.", "json_text_surrogate", {"input.value": message}
    )


CASES = {
    function.__name__: function
    for function in (
        *(json_text_integer, json_text_nested, json_text_nested_fits, json_text_abyss),
        *(json_text_unclosed, json_text_digits, json_text_surrogate),
    )
}
