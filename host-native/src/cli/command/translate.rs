//! `translate`: one payload, from an encoding to an encoding.

use clap::{Args, ValueEnum};

/// `translate`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
The payload is an OTLP ExportTraceServiceRequest. All that came in goes out unchanged; mlflow.* attributes are added. \
What had to be repaired or left out is reported on standard error. The exit code is 0 when a translation was written, \
1 when the input is not a readable payload.

Examples:
  openinference-mlflow translate <spans.pb >translated.pb
  openinference-mlflow translate --from json --to json <spans.json | jq .")]
pub struct TranslateArgs {
    /// Encoding of standard input.
    #[arg(long, value_name = "ENCODING", default_value = "protobuf")]
    pub(crate) from: OtlpEncoding,
    /// Encoding of standard output.
    #[arg(long, value_name = "ENCODING", default_value = "protobuf")]
    pub(crate) to: OtlpEncoding,
}

/// An encoding of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OtlpEncoding {
    /// `ExportTraceServiceRequest` in protobuf.
    Protobuf,
    /// OTLP/JSON.
    Json,
}
