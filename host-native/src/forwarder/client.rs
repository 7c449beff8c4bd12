//! An OTLP client for one destination.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::redirect;

use super::outcome::Outcome;
use super::{grpc, http};
use crate::http_client::{self, TrustError, describe};
use crate::payload::Encoding;
use crate::settings::{ForwardEndpoint, ForwardProtocol};
use crate::wasm::Translator;

/// For one request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The settings do not allow a client for this destination.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A file of certificates cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The TLS library refuses the configuration.
    #[error(
        "failed to set up TLS for {endpoint}: {reason}\nhint: install the system's CA certificates, or pass \
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
    endpoint: ForwardEndpoint,
    translator: Translator,
}

/// The result of an attempt.
#[derive(Debug)]
pub struct Sent {
    /// The outcome.
    pub outcome: Outcome,
    /// The HTTP status of the answer, or its equivalent for gRPC. None: no answer.
    pub status: Option<u16>,
    /// The duration.
    pub after: Duration,
}

// === impl Client ===

impl Client {
    /// A client for this destination. Opens no connection.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn new(endpoint: &ForwardEndpoint, translator: Translator) -> Result<Self, ClientError> {
        let mut builder = http_client::builder(&endpoint.url, &endpoint.trust)?
            .default_headers(endpoint.headers.clone())
            .timeout(TIMEOUT)
            // A redirect to another origin would take span content there.
            .redirect(redirect::Policy::none());
        if endpoint.protocol == ForwardProtocol::Grpc {
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
        if self.endpoint.protocol == ForwardProtocol::Http {
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
            Err(_) => (Outcome::Refused("failed to transcode it".to_owned()), None),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.endpoint).finish()
    }
}
