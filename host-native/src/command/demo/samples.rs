//! The bundled payloads, and what makes new traces of them: fresh ids, the present time, a project of their own.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// The resource attribute that names the experiment.
const PROJECT: &str = "openinference.project.name";

/// One captured trace.
pub(super) struct Sample {
    /// What it is, for people.
    pub(super) shows: &'static str,
    payload: &'static [u8],
}

/// In the order in which they are sent.
pub(super) const ALL: [Sample; 6] = [
    Sample {
        shows: "a chat completion that calls a tool (OpenAI SDK, JavaScript)",
        payload: include_bytes!("../../../demo/openai_tools.pb"),
    },
    Sample {
        shows: "a message that calls a tool (Anthropic SDK, JavaScript)",
        payload: include_bytes!("../../../demo/anthropic_tools.pb"),
    },
    Sample {
        shows: "a chain with retrieval (LangChain, JavaScript)",
        payload: include_bytes!("../../../demo/langchain_rag.pb"),
    },
    Sample {
        shows: "an agent with a tool (OpenAI Agents SDK, Python)",
        payload: include_bytes!("../../../demo/openai_agents.pb"),
    },
    Sample {
        shows: "an agent of one step (AI SDK, JavaScript)",
        payload: include_bytes!("../../../demo/ai_sdk_agent.pb"),
    },
    Sample {
        shows: "a chain whose model answers with an error (LangChain, JavaScript)",
        payload: include_bytes!("../../../demo/langchain_error.pb"),
    },
];

// === impl Sample ===

impl Sample {
    /// The payload as an application would send it now: its last span ends at `now`.
    ///
    /// # Errors
    /// The payload cannot be read, or the clock shows a time before 1970.
    pub(super) fn fresh(&self, now: SystemTime) -> anyhow::Result<Vec<u8>> {
        let mut request = ExportTraceServiceRequest::decode(self.payload).context("a sample is damaged")?;
        let end = spans(&mut request).map(|span| span.end_time_unix_nano).max().unwrap_or(0);
        let later = now.duration_since(UNIX_EPOCH)?.saturating_sub(Duration::from_nanos(end));
        let later = u64::try_from(later.as_nanos())?;
        let ids = RandomState::new();
        for span in spans(&mut request) {
            renew(&mut span.trace_id, &ids);
            span.start_time_unix_nano += later;
            span.end_time_unix_nano += later;
            for event in &mut span.events {
                event.time_unix_nano += later;
            }
        }
        for resource in request.resource_spans.iter_mut().filter_map(|spans| spans.resource.as_mut()) {
            resource.attributes.retain(|attribute| attribute.key != PROJECT);
            let value = Some(AnyValue { value: Some(Value::StringValue("demo".to_owned())) });
            resource.attributes.push(KeyValue { key: PROJECT.to_owned(), value, ..KeyValue::default() });
        }
        Ok(request.encode_to_vec())
    }
}

fn spans(request: &mut ExportTraceServiceRequest) -> impl Iterator<Item = &mut Span> {
    let scopes = request.resource_spans.iter_mut().flat_map(|spans| &mut spans.scope_spans);
    scopes.flat_map(|spans| &mut spans.spans)
}

/// The same new id for the same old one, and another in each run.
fn renew(id: &mut Vec<u8>, ids: &RandomState) {
    let halves = [ids.hash_one((0, &*id)), ids.hash_one((1, &*id))];
    *id = halves.iter().flat_map(|half| half.to_be_bytes()).collect();
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn decoded(sample: &Sample, now: SystemTime) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest::decode(sample.fresh(now).unwrap().as_slice()).unwrap()
    }

    #[test]
    fn given_a_sample_then_it_is_one_trace_with_a_root_that_ends_now_in_project_demo() {
        let now = SystemTime::now();
        for sample in &ALL {
            let mut request = decoded(sample, now);
            let ids: HashSet<_> = spans(&mut request).map(|span| span.trace_id.clone()).collect();
            assert_eq!(ids.len(), 1, "{}", sample.shows);
            assert_eq!(
                spans(&mut request).filter(|span| span.parent_span_id.is_empty()).count(),
                1,
                "{}",
                sample.shows
            );
            let end = spans(&mut request).map(|span| span.end_time_unix_nano).max().unwrap();
            assert_eq!(u128::from(end), now.duration_since(UNIX_EPOCH).unwrap().as_nanos(), "{}", sample.shows);
            for spans in &request.resource_spans {
                let resource = spans.resource.as_ref().unwrap();
                assert_eq!(resource.attributes.iter().filter(|attribute| attribute.key == PROJECT).count(), 1);
            }
        }
    }

    #[test]
    fn given_a_sample_twice_then_it_is_two_traces_with_the_same_durations() {
        let now = SystemTime::now();
        for sample in &ALL {
            let (mut first, mut second) = (decoded(sample, now), decoded(sample, now));
            for (first, second) in spans(&mut first).zip(spans(&mut second)) {
                assert_ne!(first.trace_id, second.trace_id);
                assert_eq!(first.span_id, second.span_id);
                assert_eq!(first.start_time_unix_nano, second.start_time_unix_nano);
            }
        }
    }
}
