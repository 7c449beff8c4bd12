//! Speaks to one destination.

use std::time::Duration;

use reqwest::redirect;

use super::{Endpoint, Outcome, Protocol, grpc, http};
use crate::deliver::mlflow::describe;
use crate::guest::{Encoding, Translator};
use crate::journal::Entry;

/// The most of an answer that is read, in bytes.
pub(super) const MAX_ANSWER: usize = 64 << 10;

const USER_AGENT: &str = concat!("openinference-mlflow/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For one request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A destination cannot be spoken to with these settings.
#[derive(Debug, thiserror::Error)]
#[error("no connection to {endpoint} is possible: {reason}\nhint: install the system's CA certificates")]
pub struct ClientError {
    endpoint: String,
    reason: String,
}

pub(super) struct Client {
    client: reqwest::Client,
    endpoint: Endpoint,
    translator: Translator,
}

// === impl Client ===

impl Client {
    pub(super) fn new(endpoint: &Endpoint, translator: Translator) -> Result<Self, ClientError> {
        // Fails when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(endpoint.headers.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // A redirect to another origin would take span content there.
            .redirect(redirect::Policy::none());
        if endpoint.url.scheme() == "http" {
            builder = builder.tls_certs_only([]);
        }
        if endpoint.protocol == Protocol::Grpc {
            builder = builder.http2_prior_knowledge().no_gzip();
        }
        let failed = |error| ClientError { endpoint: endpoint.to_string(), reason: describe(&error) };
        Ok(Self { client: builder.build().map_err(failed)?, endpoint: endpoint.clone(), translator })
    }

    /// Sends an entry once.
    pub(super) async fn send(&self, entry: &Entry) -> Outcome {
        let encoding = entry.context.encoding;
        match self.endpoint.protocol {
            Protocol::Http => http::send(&self.client, &self.endpoint.url, entry.payload.clone(), encoding).await,
            Protocol::Grpc if encoding == Encoding::Protobuf => {
                grpc::send(&self.client, &self.endpoint.url, entry.payload.clone()).await
            }
            Protocol::Grpc => {
                let (translator, payload) = (self.translator.clone(), entry.payload.clone());
                let transcode = move || translator.transcode(&payload, encoding, Encoding::Protobuf);
                match tokio::task::spawn_blocking(transcode).await {
                    Ok(Ok(Ok(payload))) => grpc::send(&self.client, &self.endpoint.url, payload.into()).await,
                    Ok(Ok(Err(malformed))) => Outcome::Refused(malformed.reason),
                    Ok(Err(trap)) => Outcome::Refused(trap.to_string()),
                    Err(_) => Outcome::Refused("it cannot be transcoded".to_owned()),
                }
            }
        }
    }
}

/// Nobody answered.
pub(super) fn no_answer(error: &reqwest::Error) -> Outcome {
    Outcome::Later { reason: describe(error), wait: None, answered: false }
}

/// What the destination says of a payload that it took in part.
pub(super) fn taken(partial: Option<(i64, String)>) -> Outcome {
    match partial {
        Some((rejected, message)) if rejected > 0 => Outcome::Partly { rejected, message },
        Some((_, message)) if !message.is_empty() => {
            tracing::debug!("a destination has something to say: {message}");
            Outcome::Taken
        }
        _ => Outcome::Taken,
    }
}
