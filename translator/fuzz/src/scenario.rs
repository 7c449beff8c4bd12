//! What happens to a bridge: payloads, time, and a server that answers anything or nothing.

use arbitrary::Arbitrary;
use openinference_mlflow_translator::contract::{Answer, Context, Encoding, Response};

use crate::spans::{self, SpanSeed};

/// A bridge's life.
#[derive(Arbitrary, Debug)]
pub struct Scenario {
    /// The settings.
    pub settings: SettingsSeed,
    /// In order.
    pub steps: Vec<Step>,
}

/// Settings within their ranges, small enough to be felt.
#[derive(Arbitrary, Debug)]
pub struct SettingsSeed {
    /// Whether traces go to the local folder.
    pub local: bool,
    experiment: u8,
    batch_spans: u8,
    batch_bytes: u16,
    concurrency: u8,
    /// Whether spans that are not OpenInference are left out.
    pub openinference_only: bool,
}

impl SettingsSeed {
    /// How many requests may be under way at once.
    pub fn concurrency(&self) -> usize {
        usize::from(self.concurrency % 4) + 1
    }

    /// As `Bridge::open` takes them.
    pub fn json(&self) -> String {
        let experiment = match self.experiment % 4 {
            0 => "",
            1 => r#""experiment_id":"7","#,
            2 => r#""experiment_name":"named","#,
            _ => r#""experiment_name":" ","#,
        };
        format!(
            r#"{{"destination":"{}",{experiment}"batch_spans":{},"batch_bytes":{},"concurrency":{},"max_bytes":1048576,
            "openinference_only":{},"attachment_min_bytes":48}}"#,
            if self.local { "local" } else { "server" },
            u16::from(self.batch_spans % 8) + 1,
            u32::from(self.batch_bytes) + 1,
            self.concurrency(),
            self.openinference_only,
        )
    }
}

/// One thing that happens.
#[derive(Arbitrary, Debug)]
pub enum Step {
    /// Spans arrive.
    Spans {
        /// The spans.
        spans: Vec<SpanSeed>,
        /// The resource's project.
        project: u8,
        /// What the sender said.
        context: ContextSeed,
    },
    /// Anything arrives.
    Bytes {
        /// The body.
        body: Vec<u8>,
        /// How it claims to be encoded.
        encoding: u8,
    },
    /// The host asks for requests.
    Poll,
    /// A request gets its answer.
    Answer {
        /// Which of those under way.
        request: u8,
        /// The answer.
        answer: AnswerSeed,
    },
    /// An answer to a request that nobody made.
    Stray(u64),
    /// Time passes, in milliseconds.
    Pass(u32),
    /// The host's clock runs backwards by so many milliseconds.
    Back(u16),
    /// Everything is to be sent.
    Flush,
}

/// What a sender said.
#[derive(Arbitrary, Debug)]
pub struct ContextSeed {
    experiment: u8,
    run: bool,
    workspace: bool,
}

impl ContextSeed {
    /// As `Bridge::ingest` takes it, with protobuf.
    pub fn context(&self) -> Context {
        let name = match self.experiment % 8 {
            1 => Some("one"),
            2 => Some("two/../ %"),
            3 => Some(""),
            _ => None,
        };
        let id = match self.experiment % 8 {
            4 => Some("5"),
            5 => Some("not a number"),
            6 => Some(""),
            _ => None,
        };
        Context {
            encoding: Encoding::Protobuf,
            experiment_id: id.map(str::to_owned),
            experiment_name: name.map(str::to_owned),
            run_id: self.run.then(|| "run".to_owned()),
            workspace: self.workspace.then(|| "workspace".to_owned()),
        }
    }
}

/// What a server answers.
#[derive(Arbitrary, Debug)]
pub enum AnswerSeed {
    /// What a healthy one answers.
    Healthy,
    /// One of the usual failures.
    Usual {
        /// Which.
        status: u8,
        /// With MLflow's kind of body, or without.
        body: u8,
        /// `retry-after`, in seconds.
        retry_after: Option<u16>,
    },
    /// Anything.
    Odd {
        /// The status.
        status: u16,
        /// The body.
        body: Vec<u8>,
        /// `retry-after`, as sent.
        retry_after: Option<String>,
    },
    /// None.
    NoAnswer,
}

impl AnswerSeed {
    /// The answer; none when a healthy server is to be asked.
    pub fn answer(self) -> Option<Answer> {
        const STATUS: [u16; 16] = [200, 400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 501, 502, 503, 504, 302];
        const BODY: [&str; 8] = [
            "",
            r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"m"}"#,
            r#"{"error_code":"RESOURCE_ALREADY_EXISTS","message":"m"}"#,
            r#"{"error_code":"INVALID_PARAMETER_VALUE","message":"m"}"#,
            r#"{"detail":"Invalid OpenTelemetry format"}"#,
            r#"{"experiment":{"experiment_id":"9","lifecycle_stage":"deleted"}}"#,
            r#"{"experiment_id":"10"}"#,
            "3.6.0",
        ];
        let (status, body, retry_after) = match self {
            Self::Healthy => return None,
            Self::NoAnswer => return Some(Answer::NoAnswer("connection refused".to_owned())),
            Self::Usual { status, body, retry_after } => {
                let status = STATUS[usize::from(status) % STATUS.len()];
                let body = BODY[usize::from(body) % BODY.len()].as_bytes().to_vec();
                (status, body, retry_after.map(|seconds| seconds.to_string()))
            }
            Self::Odd { status, body, retry_after } => (status, body, retry_after),
        };
        let headers = retry_after.map(|value| ("retry-after".to_owned(), value)).into_iter().collect();
        Some(Answer::Response(Response { status, headers, body }))
    }
}

/// The body and the context of a step that brings a payload.
pub fn payload(step: &Step) -> Option<(Vec<u8>, Context)> {
    match step {
        Step::Spans { spans, project, context } => Some((spans::payload(spans, *project), context.context())),
        Step::Bytes { body, encoding } => {
            let encodings = [Encoding::Protobuf, Encoding::Json, Encoding::TraceJson];
            let encoding = encodings[usize::from(*encoding) % encodings.len()];
            Some((body.clone(), Context { encoding, ..Context::default() }))
        }
        _ => None,
    }
}
