"""Captures `openinference-instrumentation-guardrails`: `py_guardrails_<scenario>.pb`.

The instrumentation takes no later version of `guardrails-ai` than 0.5.0.
"""

from capture.python.recorder import record  # isort: skip

from guardrails import Guard
from guardrails.validators import FailResult, PassResult, ValidationResult, Validator, register_validator
from openai import OpenAI
from openinference.instrumentation.guardrails import GuardrailsInstrumentor

from capture.python import prompts
from capture.python.model_api import ModelApi


@register_validator(name="one-sentence", data_type="string")
class OneSentence(Validator):
    def validate(self, value: str, metadata: dict) -> ValidationResult:
        is_one = value.count(".") == 1
        return PassResult() if is_one else FailResult(error_message=f"{value.count('.')} sentences", fix_value=value.split(".")[0])


def guard(api: ModelApi) -> None:
    """A model's answer is validated."""
    client = OpenAI(api_key="not-a-real-key", base_url=f"{api.uri}/v1", max_retries=0)

    def ask(prompt: str, **_: object) -> str:
        asked = [{"role": "user", "content": prompt}]
        return client.chat.completions.create(model="gpt-4o-mini", messages=asked).choices[0].message.content

    guarded = Guard.from_string(validators=[OneSentence(on_fail="fix")])
    with api.answering("openai/chat.json"):
        guarded(ask, prompt=prompts.FIRST_QUESTION)


if __name__ == "__main__":
    record(
        "guardrails",
        ("openinference-instrumentation-guardrails", "guardrails-ai", "openai"),
        lambda provider: GuardrailsInstrumentor().instrument(tracer_provider=provider),
        {"guard": guard},
    )
