//! Speaks to one destination.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::redirect;

use super::{Endpoint, Outcome, Protocol, grpc, http};
use crate::exporter::mlflow::describe;
use crate::exporter::trust::{self, TrustError};
use crate::wasm::{Encoding, Translator};

/// The most of an answer that is read, in bytes.
pub(super) const MAX_ANSWER: usize = 64 << 10;

const USER_AGENT: &str = concat!("openinference-mlflow/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For one request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A destination cannot be spoken to with these settings.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A file of certificates cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The TLS library refuses.
    #[error(
        "no connection to {endpoint} is possible: {reason}\nhint: install the system's CA certificates, or name some with \
         --forward-cert"
    )]
    Tls {
        /// The destination.
        endpoint: String,
        /// Why.
        reason: String,
    },
}

/// A client of one destination.
pub struct Client {
    client: reqwest::Client,
    endpoint: Endpoint,
    translator: Translator,
}

/// What became of an attempt, and how long it took.
#[derive(Debug)]
pub struct Sent {
    /// What became of it.
    pub outcome: Outcome,
    /// The status of the answer, as HTTP has it; none: there was no answer.
    pub status: Option<u16>,
    /// How long it took.
    pub after: Duration,
}

// === impl Client ===

impl Client {
    /// A client of this destination. Opens no connection.
    ///
    /// # Errors
    /// The settings do not allow one.
    pub fn new(endpoint: &Endpoint, translator: Translator) -> Result<Self, ClientError> {
        // Fails when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(endpoint.headers.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // A redirect to another origin would take span content there.
            .redirect(redirect::Policy::none());
        builder = trust::apply(builder, &endpoint.url, &endpoint.trust)?;
        if endpoint.protocol == Protocol::Grpc {
            builder = builder.http2_prior_knowledge().no_gzip();
        }
        let failed = |error| ClientError::Tls { endpoint: endpoint.to_string(), reason: describe(&error) };
        Ok(Self { client: builder.build().map_err(failed)?, endpoint: endpoint.clone(), translator })
    }

    /// Sends a payload once.
    pub async fn send(&self, payload: Bytes, encoding: Encoding) -> Sent {
        let started = Instant::now();
        let (outcome, status) = self.attempt(payload, encoding).await;
        Sent { outcome, status, after: started.elapsed() }
    }

    async fn attempt(&self, payload: Bytes, encoding: Encoding) -> (Outcome, Option<u16>) {
        if self.endpoint.protocol == Protocol::Http {
            return http::send(&self.client, &self.endpoint.url, payload, encoding).await;
        }
        if encoding == Encoding::Protobuf {
            return grpc::send(&self.client, &self.endpoint.url, payload).await;
        }
        let translator = self.translator.clone();
        let transcode = move || translator.transcode(&payload, encoding, Encoding::Protobuf);
        match tokio::task::spawn_blocking(transcode).await {
            Ok(Ok(Ok(payload))) => grpc::send(&self.client, &self.endpoint.url, payload.into()).await,
            Ok(Ok(Err(malformed))) => (Outcome::Refused(malformed.reason), None),
            Ok(Err(trap)) => (Outcome::Refused(trap.to_string()), None),
            Err(_) => (Outcome::Refused("it cannot be transcoded".to_owned()), None),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.endpoint).finish()
    }
}

/// Nobody answered. The URL is left out, whose query may hold a key.
pub(super) fn no_answer(error: reqwest::Error) -> (Outcome, Option<u16>) {
    (Outcome::Later { reason: describe(&error.without_url()), wait: None, answered: false }, None)
}

/// As much of what a destination says as is kept.
pub(super) fn shortened(message: &str) -> &str {
    const LONGEST: usize = 300;
    message.get(..message.floor_char_boundary(LONGEST)).unwrap_or(message)
}

/// What the destination says of a payload that it took, or took in part.
pub(super) fn taken(partial: Option<(i64, String)>) -> Outcome {
    match partial {
        Some((rejected, message)) if rejected > 0 => {
            Outcome::Partly { rejected, message: shortened(&message).to_owned() }
        }
        Some((_, message)) if !message.is_empty() => {
            tracing::debug!("a destination has something to say: {}", shortened(&message));
            Outcome::Taken
        }
        _ => Outcome::Taken,
    }
}
