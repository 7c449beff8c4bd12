//! What each export does, as functions of the instance, its input and its output.

use openinference_mlflow_translator::contract::{Answer, Response};
use openinference_mlflow_translator::{Bridge, transcode, translate};
use serde::{Deserialize, Serialize};

use crate::answer::{
    AcceptedOutput, ContextInput, EncodingName, EventOutput, Failure, QuarantinedOutput, RepairOutput, RequestOutput,
    StatsOutput,
};
use crate::frame::{self, Bytes, Place};
use crate::instance::Instance;

/// The version of the WIT package whose types the JSON has.
pub(crate) const CONTRACT: &str = include_str!("../../../wit/VERSION").trim_ascii();

/// The version of the ABI.
pub(crate) const ABI: u32 = 1;

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome<T> {
    Ok(T),
    Err(Failure),
}

/// Writes the result of a call as a frame.
fn finish<T: Serialize>(out: &mut Vec<u8>, result: Result<T, Failure>, bytes: &Bytes) {
    let outcome = match result {
        Ok(value) => Outcome::Ok(value),
        Err(failure) => Outcome::Err(failure),
    };
    frame::write(out, &outcome, bytes.as_slice());
}

fn wrong_call(reason: String) -> Failure {
    Failure::Call { reason }
}

fn bridge(instance: &mut Instance, handle: u32) -> Result<&mut Bridge, Failure> {
    let reason = || format!("no bridge has the handle {handle}: `open` returns handles, `close` ends them");
    instance.bridges.get_mut(&handle).ok_or_else(|| Failure::UnknownBridge { reason: reason() })
}

pub(crate) fn version(out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Versions {
        abi: u32,
        contract: &'static str,
        translator: &'static str,
    }
    let versions = Versions { abi: ABI, contract: CONTRACT, translator: env!("CARGO_PKG_VERSION") };
    finish(out, Ok(versions), &Bytes::default());
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encodings {
    from: EncodingName,
    to: EncodingName,
}

pub(crate) fn translate_payload(input: &[u8], out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Output {
        payload: Place,
        repairs: Vec<RepairOutput>,
        quarantined: Vec<QuarantinedOutput>,
    }
    let mut bytes = Bytes::default();
    let result = frame::read::<Encodings>(input).map_err(wrong_call).and_then(|input| {
        let translated = translate(input.bytes, input.value.from.into(), input.value.to.into())?;
        Ok(Output {
            payload: bytes.put(&translated.payload),
            repairs: translated.repairs.into_iter().map(Into::into).collect(),
            quarantined: translated
                .quarantined
                .into_iter()
                .map(|span| QuarantinedOutput::new(span, &mut bytes))
                .collect(),
        })
    });
    finish(out, result, &bytes);
}

pub(crate) fn transcode_payload(input: &[u8], out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Output {
        payload: Place,
    }
    let mut bytes = Bytes::default();
    let result = frame::read::<Encodings>(input).map_err(wrong_call).and_then(|input| {
        let payload = transcode(input.bytes, input.value.from.into(), input.value.to.into())?;
        Ok(Output { payload: bytes.put(&payload) })
    });
    finish(out, result, &bytes);
}

pub(crate) fn open(instance: &mut Instance, input: &[u8], out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Output {
        bridge: u32,
    }
    let result = frame::read::<serde_json::Value>(input).map_err(wrong_call).and_then(|input| {
        let settings = input.value.to_string();
        let bridge = Bridge::open(&settings).map_err(|invalid| Failure::Settings { reason: invalid.to_string() })?;
        instance.last_handle += 1;
        instance.bridges.insert(instance.last_handle, bridge);
        Ok(Output { bridge: instance.last_handle })
    });
    finish(out, result, &Bytes::default());
}

pub(crate) fn close(instance: &mut Instance, handle: u32, out: &mut Vec<u8>) {
    let result = bridge(instance, handle).map(|_| ());
    instance.bridges.remove(&handle);
    finish(out, result, &Bytes::default());
}

pub(crate) fn ingest(instance: &mut Instance, handle: u32, now: u64, input: &[u8], out: &mut Vec<u8>) {
    let result = bridge(instance, handle).and_then(|bridge| {
        let input = frame::read::<ContextInput>(input).map_err(wrong_call)?;
        let accepted = bridge.ingest(input.bytes, &input.value.into(), now)?;
        Ok(AcceptedOutput::from(accepted))
    });
    finish(out, result, &Bytes::default());
}

pub(crate) fn poll(instance: &mut Instance, handle: u32, now: u64, out: &mut Vec<u8>) {
    let mut bytes = Bytes::default();
    let result = bridge(instance, handle).map(|bridge| {
        let requests = bridge.poll(now).into_iter();
        requests.map(|request| RequestOutput::new(request, &mut bytes)).collect::<Vec<_>>()
    });
    finish(out, result, &bytes);
}

/// The JSON of `complete`: an answer, whose body is the frame's bytes, or the reason why there is none.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum AnswerInput {
    Response {
        status: u16,
        #[serde(default)]
        headers: Vec<(String, String)>,
    },
    NoAnswer(String),
}

pub(crate) fn complete(instance: &mut Instance, handle: u32, request: u64, now: u64, input: &[u8], out: &mut Vec<u8>) {
    let result = bridge(instance, handle).and_then(|bridge| {
        let input = frame::read::<AnswerInput>(input).map_err(wrong_call)?;
        let answer = match input.value {
            AnswerInput::Response { status, headers } => {
                Answer::Response(Response { status, headers, body: input.bytes.to_vec() })
            }
            AnswerInput::NoAnswer(reason) => Answer::NoAnswer(reason),
        };
        bridge.complete(request, &answer, now);
        Ok(())
    });
    finish(out, result, &Bytes::default());
}

pub(crate) fn events(instance: &mut Instance, handle: u32, out: &mut Vec<u8>) {
    let mut bytes = Bytes::default();
    let result = bridge(instance, handle).map(|bridge| {
        let events = bridge.events().into_iter();
        events.map(|event| EventOutput::new(event, &mut bytes)).collect::<Vec<_>>()
    });
    finish(out, result, &bytes);
}

pub(crate) fn next_wakeup(instance: &mut Instance, handle: u32, out: &mut Vec<u8>) {
    let result = bridge(instance, handle).map(|bridge| bridge.next_wakeup());
    finish(out, result, &Bytes::default());
}

pub(crate) fn flush(instance: &mut Instance, handle: u32, now: u64, out: &mut Vec<u8>) {
    let result = bridge(instance, handle).map(|bridge| bridge.flush(now));
    finish(out, result, &Bytes::default());
}

pub(crate) fn stats(instance: &mut Instance, handle: u32, out: &mut Vec<u8>) {
    let result = bridge(instance, handle).map(|bridge| StatsOutput::from(bridge.stats()));
    finish(out, result, &Bytes::default());
}
