"""What MLflow holds, read through MLflow's own Python client, as a user of MLflow reads it."""

from collections.abc import Iterable, Iterator

from mlflow import MlflowClient
from mlflow.entities import Trace, TraceInfo
from mlflow.exceptions import MlflowException

from e2e.harness.wait import eventually


class Reader:
    """Reads traces of one server. Trace ids are OTLP's 32 hexadecimal digits."""

    def __init__(self, tracking_uri: str) -> None:
        self.uri = tracking_uri
        self.client = MlflowClient(tracking_uri=tracking_uri)

    def create_experiment(self, name: str) -> str:
        return self.client.create_experiment(name)

    def trace(self, trace_id: str) -> Trace:
        """The trace with its spans; MLflow's exception when there is none."""
        return self.client.get_trace(f"tr-{trace_id}")

    def traces(self, experiment_id: str, trace_ids: Iterable[str]) -> dict[str, Trace | str]:
        """Each trace, or the word `absent` or `unreadable`.

        One search brings the traces of an experiment many times faster than as many requests, but it fails as a whole
        when the server cannot return one of them; then each is requested alone.
        """
        try:
            found = {trace.info.trace_id: trace for trace in self._search(experiment_id, None, include_spans=True)}
        except MlflowException:
            return {trace_id: self._trace_or_word(trace_id) for trace_id in trace_ids}
        return {trace_id: found.get(f"tr-{trace_id}", "absent") for trace_id in trace_ids}

    def _trace_or_word(self, trace_id: str) -> Trace | str:
        try:
            return self.trace(trace_id)
        except MlflowException as error:
            return "absent" if error.error_code == "RESOURCE_DOES_NOT_EXIST" else "unreadable"

    def wait_for_trace(self, trace_id: str, spans: int, within: float = 30.0) -> Trace:
        """The trace once it holds at least `spans` spans.

        It is read once more then: MLflow reads a trace's info before its spans, so the first answer with all spans may
        have an info from before the last of them.
        """

        def probe() -> bool:
            return len(self.trace(trace_id).data.spans) >= spans

        eventually(probe, f"{spans} spans of trace {trace_id} in MLflow", within)
        return self.trace(trace_id)

    def wait_for_state(self, trace_id: str, state: str, within: float = 30.0) -> Trace:
        def probe() -> Trace | None:
            found = self.trace(trace_id)
            return found if found.info.state == state else None

        return eventually(probe, f"trace {trace_id} in state {state}", within)

    def wait_for_previews(self, trace_id: str, previews: tuple[str, str], within: float = 30.0) -> TraceInfo:
        """The trace's info once the list shows these; they may follow the spans in a request of their own."""

        def probe() -> TraceInfo | None:
            found = self.trace(trace_id).info
            return found if (found.request_preview, found.response_preview) == previews else None

        return eventually(probe, f"previews {previews} of trace {trace_id}", within)

    def trace_ids(self, experiment_id: str, filter_string: str | None = None) -> set[str]:
        """Every trace of the experiment that a search finds."""
        found = self._search(experiment_id, filter_string, include_spans=False)
        return {trace.info.trace_id.removeprefix("tr-") for trace in found}

    def _search(self, experiment_id: str, filter_string: str | None, include_spans: bool) -> Iterator[Trace]:
        token = None
        while True:
            page = self.client.search_traces(
                locations=[experiment_id],
                filter_string=filter_string,
                include_spans=include_spans,
                max_results=500,
                page_token=token,
            )
            yield from page
            token = page.token
            if not token:
                return

    def wait_for_traces(self, experiment_id: str, trace_ids: Iterable[str], within: float = 60.0) -> None:
        expected = set(trace_ids)
        seen: set[str] = set()

        def probe() -> bool:
            nonlocal seen
            seen = self.trace_ids(experiment_id)
            return expected <= seen

        try:
            eventually(probe, f"{len(expected)} traces in experiment {experiment_id}", within)
        except AssertionError as error:
            missing = sorted(expected - seen)
            raise AssertionError(f"{len(missing)} of {len(expected)} traces never arrived: {missing[:5]}") from error
