//! `serve`: every group of settings.

use clap::Args;

use crate::cli::{
    AccessArgs, DestinationArgs, ForwardArgs, JournalArgs, KafkaArgs, LimitArgs, OperateArgs, ReceiveArgs, TuningArgs,
};

/// `serve`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  openinference-mlflow serve
      Local folder: traces are kept as files and drawn in the terminal.
  openinference-mlflow serve --tracking-uri http://127.0.0.1:5000 --experiment my-agent
  MLFLOW_TRACKING_TOKEN=… openinference-mlflow serve --tracking-uri https://mlflow.example.com
  openinference-mlflow serve --tracking-uri http://127.0.0.1:5000 --forward http://127.0.0.1:6006
      MLflow and Phoenix get the same traces.
  openinference-mlflow serve --grpc-listen 0.0.0.0:4317 --http-listen 0.0.0.0:4318 \\
      --tls-cert server.pem --tls-key server.key --auth-file senders
      A gateway for a team: over TLS, for those whom `openinference-mlflow auth add` made known.
  openinference-mlflow serve --tracking-uri http://127.0.0.1:5000 --kafka-brokers 127.0.0.1:9092 --no-receivers
      A member of a consumer group: payloads come from the topic otlp_spans.")]
pub struct ServeArgs {
    #[command(flatten)]
    pub(crate) destination: DestinationArgs,
    #[command(flatten)]
    pub(crate) receive: ReceiveArgs,
    #[command(flatten)]
    pub(crate) kafka: KafkaArgs,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) forward: ForwardArgs,
    #[command(flatten)]
    pub(crate) journal: JournalArgs,
    #[command(flatten)]
    pub(crate) operate: OperateArgs,
    #[command(flatten)]
    pub(crate) tuning: TuningArgs,
}
