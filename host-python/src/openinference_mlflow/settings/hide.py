"""OpenInference's privacy settings, `OPENINFERENCE_HIDE_…` (its specification's `configuration.md`).

Instrumentors follow them; spans that an application makes itself do not. Here they hold for every span that goes to
MLflow. The first rule that fits decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from openinference_mlflow.settings.environment import Complain, read_boolean, read_count

Mask = Callable[[Any, str], Any]

REDACTED = "__REDACTED__"


class _Rule(NamedTuple):
    variables: tuple[str, ...]
    keys: re.Pattern[str]
    becomes: str | None


def _rule(variables: str, keys: str, becomes: str | None = None) -> _Rule:
    return _Rule(tuple(variables.split()), re.compile(keys), becomes)


_RULES = (
    _rule("INPUTS", r"^input\.value$", REDACTED),
    _rule("OUTPUTS", r"^output\.value$", REDACTED),
    _rule("INPUTS", r"^input\.mime_type$"),
    _rule("OUTPUTS", r"^output\.mime_type$"),
    _rule("INPUTS INPUT_MESSAGES", r"llm\.input_messages"),
    _rule("OUTPUTS OUTPUT_MESSAGES", r"llm\.output_messages"),
    _rule("INPUT_TEXT", r"llm\.input_messages.*message\.content$", REDACTED),
    _rule("OUTPUT_TEXT", r"llm\.output_messages.*message\.content$", REDACTED),
    _rule("INPUT_TEXT", r"llm\.input_messages.*message_content\.text", REDACTED),
    _rule("OUTPUT_TEXT", r"llm\.output_messages.*message_content\.text", REDACTED),
    _rule("INPUT_IMAGES", r"llm\.input_messages.*message_content\.image"),
    _rule("INPUTS INPUT_IMAGES", r"^input\.images(\.|$)"),
    _rule("OUTPUTS", r"^output\.images(\.|$)"),
    _rule("EMBEDDING_VECTORS", r"embedding\.embeddings.*embedding\.vector"),
    _rule("LLM_INVOCATION_PARAMETERS", r"^llm\.invocation_parameters$"),
    _rule("PROMPTS", r"^llm\.prompts", REDACTED),
    _rule("INPUTS LLM_TOOLS", r"llm\.tools"),
)


def read_hide_settings(complain: Complain) -> Mask | None:
    """The mask that the environment asks for, if it asks for one."""
    hidden = {
        variable
        for variable in {name for rule in _RULES for name in rule.variables}
        if read_boolean(f"OPENINFERENCE_HIDE_{variable}", complain)
    }
    rules = [rule for rule in _RULES if hidden.intersection(rule.variables)]
    longest = read_count("OPENINFERENCE_BASE64_IMAGE_MAX_LENGTH", complain)
    if not rules and longest is None:
        return None

    def hide(value: Any, key: str) -> Any:
        for rule in rules:
            if rule.keys.search(key):
                return rule.becomes
        is_long_image = (
            longest is not None
            and isinstance(value, str)
            and len(value) > longest
            and key.endswith("image.url")
            and value.startswith("data:image/")
        )
        return REDACTED if is_long_image else value

    return hide


def compose_masks(first: Mask | None, second: Mask | None) -> Mask | None:
    """Both, in this order. What the first one removes or redacts, the second one never sees."""
    if first is None or second is None:
        return first or second
    hide, mask = first, second

    def both(value: Any, key: str) -> Any:
        hidden = hide(value, key)
        return hidden if hidden is None or hidden == REDACTED else mask(hidden, key)

    return both
