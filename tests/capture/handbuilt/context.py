"""Session, user, tags and metadata."""

from capture.handbuilt.builder import Case, Trace, payload, siblings


def session_on_child() -> Case:
    trace = Trace("session_on_child")
    trace.span("root", "CHAIN")
    trace.span("child", "LLM", {"session.id": "session-child", "user.id": "user-child"}, parent="root")
    return payload("Session and user on a child alone.", trace)


def session_conflict() -> Case:
    trace = Trace("session_conflict")
    trace.span("root", "CHAIN", {"session.id": "session-root", "user.id": "user-root"})
    trace.span("child", "LLM", {"session.id": "session-child", "user.id": "user-child"}, parent="root")
    return payload("Root and child name different sessions and users.", trace)


def session_conversation() -> Case:
    trace = Trace("session_conversation")
    trace.span("root", "CHAIN", {"gen_ai.conversation.id": "conversation-1"})
    return payload("GenAI's conversation id instead of a session id.", trace)


def session_odd() -> Case:
    traces = []
    for name, value in {"int": 7, "empty": "", "JSON": '{"a": 1}', "digits": "42", "unicode": "sitzung-ä-🌍"}.items():
        trace = Trace(f"session_odd/{name}")
        trace.span(name, "CHAIN", {"session.id": value, "user.id": value})
        traces.append(trace)
    return payload("Session and user ids that are not plain words.", *traces)


def session_250() -> Case:
    trace = Trace("session_250")
    trace.span("root", "CHAIN", {"session.id": "s" * 250, "user.id": "u" * 250})
    return payload("A session id of the greatest length MLflow takes.", trace)


def session_251() -> Case:
    long, healthy = Trace("session_251"), Trace("session_251/healthy")
    long.span("root", "CHAIN", {"session.id": "s" * 251})
    healthy.span("healthy", "CHAIN", {"session.id": "short"})
    return payload("A session id that is one character too long, beside a healthy trace.", long, healthy)


def user_long() -> Case:
    trace = Trace("user_long")
    trace.span("root", "CHAIN", {"user.id": "u" * 9000})
    return payload("A user id of 9,000 characters.", trace)


def tags_and_metadata() -> Case:
    trace = siblings(
        "tags_and_metadata",
        "LLM",
        {"child": {"tag.tags": ["child-tag"], "metadata": '{"where": "child"}'}},
    )
    root = trace.spans[0].attributes
    root.add(key="tag.tags").value.array_value.values.add().string_value = "smoke"
    root[-1].value.array_value.values.add().string_value = "nightly"
    root.add(key="metadata").value.string_value = '{"tier": "gold", "attempt": 2, "nested": {"a": [1, true, null]}}'
    return payload("Tags and metadata on a root and on its child.", trace)


def tags_odd() -> Case:
    traces = []
    for name, attributes in {
        "tags as JSON text": {"tag.tags": '["a", "b"]'},
        "tags as plain text": {"tag.tags": "one"},
        "tags with numbers": {"tag.tags": ["a", 1, True]},
        "no tags": {"tag.tags": []},
        "metadata as text": {"metadata": "not json"},
        "metadata as array": {"metadata": "[1, 2]"},
        "metadata as map": {"metadata": {"tier": "gold"}},
        "metadata with odd keys": {"metadata": '{"": 1, "a b/c": 2, "mlflow.traceName": "hijack", "%": 3}'},
        "metadata key of 300": {"metadata": '{"' + "k" * 300 + '": 1}'},
        "metadata value of 9000": {"metadata": '{"long": "' + "v" * 9000 + '"}'},
    }.items():
        trace = Trace(f"tags_odd/{name}")
        trace.span(name, "CHAIN", attributes)
        traces.append(trace)
    return payload("Tags and metadata in forms that OpenInference does not define, or that MLflow limits.", *traces)


CASES = {
    function.__name__: function
    for function in (
        *(session_on_child, session_conflict, session_conversation, session_odd, session_250, session_251),
        *(user_long, tags_and_metadata, tags_odd),
    )
}
