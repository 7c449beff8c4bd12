"""What people read: one line for each new condition, on the logger `openinference_mlflow` or on standard error."""

from __future__ import annotations

import logging
import sys

_logger = logging.getLogger("openinference_mlflow")


class Report:
    """Says each thing once. Never raises."""

    def __init__(self) -> None:
        self.silent = False
        self._said: set[str] = set()

    def warn(self, message: str, topic: str | None = None) -> None:
        """Something needs attention."""
        self._say(logging.WARNING, message, topic or message)

    def info(self, message: str, topic: str | None = None) -> None:
        """Worth a line."""
        self._say(logging.INFO, message, topic or message)

    def detail(self, message: str) -> None:
        """Details, shown when the logger's level is DEBUG."""
        _logger.debug(message)

    def _say(self, level: int, message: str, topic: str) -> None:
        if self.silent or topic in self._said:
            return
        self._said.add(topic)
        try:
            if _logger.hasHandlers() and _logger.isEnabledFor(level):
                _logger.log(level, message)
            elif sys.stderr is not None:
                print(f"openinference-mlflow: {message}", file=sys.stderr, flush=True)
        except Exception:
            pass  # A closed stream or a broken handler must not reach the application.
