"""Feedback: on the judged span, on carriers that link to it, as events; on spans, traces and sessions."""

from collections.abc import Mapping

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from capture.handbuilt.builder import Case, Trace, add_attributes, at, payload

_JUDGED = {"input.value": "question", "output.value": "answer"}


def given(scope: str, word: str, *results: Mapping[str, object]) -> dict[str, object]:
    """Attributes for results of a scope (`""`, `"trace."`, `"session."`) in a word (`annotation`, `evaluation`)."""
    return {
        f"{scope}{word}s.{number}.{word}.{field}": value
        for number, result in enumerate(results)
        for field, value in result.items()
    }


def inline() -> Case:
    trace = Trace("feedback_inline")
    full = {
        **{"name": "hallucination", "score": 1, "label": "hallucinated", "annotator_kind": "LLM"},
        **{"explanation": "No document says so.", "identifier": "judge-v2"},
        "metadata": '{"rubric_version": 2, "evaluator": "judge", "nothing": null, "bounds": [0, 1]}',
    }
    of_label = {"name": "tone", "label": "polite", "explanation": "It says please.", "annotator_kind": "HUMAN"}
    of_words = {"name": "note", "explanation": "Ask for the order number.", "annotator_kind": "HUMAN"}
    code = {"name": "length", "score": 0.25, "annotator_kind": "CODE"}
    trace.span("root", "CHAIN", _JUDGED | given("trace.", "annotation", code) | given("trace.", "evaluation", of_label))
    annotations = given("", "annotation", full, of_label, of_words)
    trace.span("generate", "LLM", _JUDGED | annotations | given("", "evaluation", code), parent="root")
    return payload("Feedback on the spans that it is about: number, label, words; people, models, code.", trace)


def post_hoc() -> Case:
    result = {"name": "correctness", "score": 0.5, "annotator_kind": "LLM", "identifier": "judge"}
    judged = Trace("feedback_judged")
    judged.span("root", "AGENT", _JUDGED)
    judged.span("generate", "LLM", _JUDGED, parent="root")
    other = Trace("feedback_other")
    other.span("evaluation run", "CHAIN", _JUDGED)
    of_span = Trace("feedback_of_span")
    # Its parent is in a trace of its own, and no target.
    of_span.span("run", "CHAIN")
    link(of_span.span("judge", "EVALUATOR", given("", "evaluation", result), parent="run"), judged, "generate")
    of_trace = Trace("feedback_of_trace")
    link(of_trace.span("thumb", "EVALUATOR", given("trace.", "annotation", result)), judged, "root")
    later = Trace("feedback_later")
    replaced = given("", "evaluation", result | {"score": 0.75, "metadata": '{"again": true}'})
    link(later.span("judge", "EVALUATOR", replaced, start_ms=500, end_ms=600), judged, "generate")
    about = "Carriers with one link before their target, one of them a later result under the same identifier."
    return payload(about, of_span, of_trace, later, judged, other)


def session() -> Case:
    session = {"session.id": "feedback-session"}
    first, second = Trace("feedback_session_first"), Trace("feedback_session_second")
    first.span("turn", "CHAIN", _JUDGED | session)
    result = given("session.", "annotation", {"name": "coherent", "label": "yes", "annotator_kind": "HUMAN"})
    second.span("turn", "CHAIN", _JUDGED | session | result, start_ms=1000, end_ms=1100)
    return payload("A session of two traces, with feedback on the whole of it on the later one.", first, second)


def evaluation_event() -> Case:
    trace = Trace("feedback_event")
    trace.span("root", "CHAIN", _JUDGED)
    span = trace.span("chat", None, {"gen_ai.operation.name": "chat", "gen_ai.response.id": "r-1"}, parent="root")
    result = {
        **{"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.9},
        **{"gen_ai.evaluation.score.label": "relevant", "gen_ai.evaluation.explanation": "It answers the question."},
        **{"gen_ai.response.id": "r-1", "evaluator.version": 3},
    }
    add_attributes(span.events.add(name="gen_ai.evaluation.result", time_unix_nano=at(70)).attributes, result)
    failed = {"gen_ai.evaluation.name": "toxicity", "error.type": "timeout"}
    add_attributes(span.events.add(name="gen_ai.evaluation.result", time_unix_nano=at(80)).attributes, failed)
    return payload("OpenTelemetry's evaluation events on a span of its own convention: a result, and none.", trace)


def odd() -> Case:
    trace = Trace("feedback_odd")
    results = (
        {"name": "a number as text", "score": "0.5", "annotator_kind": "llm"},
        {"name": "words as a number", "score": "good", "annotator_kind": "EXPERT PANEL"},
        {"name": "a truth value", "score": True},
        {"score": 3},
        {"name": "says nothing", "annotator_kind": "HUMAN"},
        {"name": "no object", "label": "x", "metadata": "{'python': 'dict'}"},
        {"name": "n" * 300, "label": "x", "identifier": "i" * 300},
        {"name": "not finite", "score": float("nan")},
    )
    trace.span("root", "CHAIN", _JUDGED | given("", "annotation", *results))
    # More than one link names nothing, and neither does the link of a model call.
    both = trace.span("two links", "EVALUATOR", given("", "evaluation", {"name": "two", "score": 2}), parent="root")
    link(both, trace, "root")
    link(both, trace, "root")
    call = trace.span("linked call", "LLM", given("", "evaluation", {"name": "own", "score": 1}), parent="root")
    link(call, trace, "root")
    about = "Feedback in types that it should not have, without a name, without a result, and links that name no target."
    return payload(about, trace)


def link(span: Span, trace: Trace, target: str) -> None:
    span.links.add(trace_id=trace.trace_id, span_id=trace.span_id(target))


CASES = {
    "feedback_inline": inline,
    "feedback_post_hoc": post_hoc,
    "feedback_session": session,
    "feedback_event": evaluation_event,
    "feedback_odd": odd,
}
