//! An MLflow server, over HTTP.
//!
//! Guarantees: credentials go to the tracking URI's own origin and nowhere else, and appear in no text that leaves this
//! module; an answer takes no more memory than [`MAX_ANSWER`]; a redirect to another origin is an answer, not followed,
//! since it would take span content there.
//!
//! Request bodies are not compressed: MLflow inflates them since 3.7 only, and the server may be older.

use std::error::Error;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Url, redirect};
use secrecy::ExposeSecret;

use super::Destination;
use super::trust::{self, TrustError};
use crate::settings::{Credentials, Server};
use crate::wasm::{Answer, Request, Response};

/// The most of an answer that is read, in bytes; the translator needs less.
pub const MAX_ANSWER: usize = 1 << 20;

const USER_AGENT: &str = concat!("openinference-mlflow/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 5;

/// A client of one MLflow server.
#[derive(Debug, Clone)]
pub struct MlflowServer {
    client: Client,
    base: Url,
}

/// The server cannot be spoken to with these settings.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A file of certificates cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A user name, password or token that no header can carry.
    #[error("the credentials for MLflow hold a character that HTTP does not allow, such as a line break")]
    Credentials,
    /// The TLS library refuses.
    #[error(
        "no secure connection is possible: {0}\nhint: install the system's CA certificates, or name some with --server-cert"
    )]
    Tls(String),
}

// === impl MlflowServer ===

impl MlflowServer {
    /// A client that follows these settings. Opens no connection.
    ///
    /// # Errors
    /// What is wrong with the certificates or the credentials.
    pub fn new(server: &Server) -> Result<Self, ClientError> {
        // Fails when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let base = server.uri.as_url().clone();
        let mut headers = HeaderMap::new();
        if let Some(authorization) = authorization(&server.credentials)? {
            headers.insert(AUTHORIZATION, authorization);
        }
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(same_origin_only());
        let client = trust::apply(client, &base, &server.trust)?;
        let client = client.build().map_err(|error| ClientError::Tls(describe(&error)))?;
        Ok(Self { client, base })
    }

    async fn send(&self, request: Request) -> Result<Response, String> {
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|error| error.to_string())?;
        let url = self.base.join(&request.path).map_err(|error| error.to_string())?;
        if url.origin() != self.base.origin() {
            return Err(format!("{} is not a path below the tracking URI", request.path));
        }
        let mut builder = self.client.request(method, url).timeout(Duration::from_millis(request.timeout.into()));
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let response = builder.body(request.body).send().await.map_err(|error| describe(&error))?;
        read(response).await.map_err(|error| describe(&error))
    }
}

impl Destination for MlflowServer {
    async fn perform(&self, request: Request) -> Answer {
        match self.send(request).await {
            Ok(response) => Answer::Response(response),
            Err(reason) => Answer::NoAnswer(reason),
        }
    }
}

async fn read(mut response: reqwest::Response) -> Result<Response, reqwest::Error> {
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = MAX_ANSWER - body.len();
        body.extend(chunk.iter().take(room));
        if body.len() == MAX_ANSWER {
            break;
        }
    }
    Ok(Response { status: response.status().as_u16(), headers, body })
}

fn authorization(credentials: &Credentials) -> Result<Option<HeaderValue>, ClientError> {
    let value = match credentials {
        Credentials::None => return Ok(None),
        Credentials::Basic { username, password } => {
            format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{}", password.expose_secret())))
        }
        Credentials::Bearer(token) => format!("Bearer {}", token.expose_secret()),
    };
    let mut value = HeaderValue::try_from(value).map_err(|_| ClientError::Credentials)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Follows a redirect that keeps method, body and origin; any other becomes the answer.
fn same_origin_only() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let keeps_request = matches!(attempt.status().as_u16(), 307 | 308);
        let same_origin = attempt.previous().first().is_some_and(|first| first.origin() == attempt.url().origin());
        if keeps_request && same_origin && attempt.previous().len() <= MAX_REDIRECTS {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}

/// The error and its causes in one line, without the URL, which the reader knows.
pub(crate) fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return if error.is_connect() { "no connection in time" } else { "no answer in time" }.to_owned();
    }
    let mut cause = error.source();
    let mut text = if cause.is_none() { error.to_string() } else { String::new() };
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
