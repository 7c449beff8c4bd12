//! An MLflow server, over HTTP.
//!
//! Guarantees: credentials are sent only to the origin of the tracking URI and appear in no text; an answer takes at most
//! [`MAX_ANSWER`] bytes of memory; a redirect to another origin is returned as the answer, because following it would send
//! span content there.
//!
//! Request bodies are not compressed, because MLflow before 3.7 cannot decompress them.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Url, redirect};
use secrecy::ExposeSecret;

use super::Destination;
use crate::http_client::{self, TrustError, describe};
use crate::reload::Reloaded;
use crate::settings::{Credentials, Server};
use crate::wasm::{Answer, Request, Response};

/// The most bytes of an answer to read. The translator needs fewer.
pub const MAX_ANSWER: usize = 1 << 20;

const MAX_REDIRECTS: usize = 5;

/// A client of one MLflow server.
#[derive(Debug, Clone)]
pub struct MlflowServer {
    client: Client,
    base: Url,
    /// From a file that may change; otherwise the client sends it by itself.
    token: Option<Reloaded<HeaderValue>>,
}

/// The settings do not allow a client for this server.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A file of certificates cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A user name, password or token contains a character that a header cannot carry.
    #[error("the credentials for MLflow contain a character that HTTP does not allow, such as a line break")]
    Credentials,
    /// The file of the token cannot be used.
    #[error("the token file {path} cannot be used: {reason}")]
    TokenFile {
        /// Where it is.
        path: String,
        /// Why.
        reason: String,
    },
    /// The TLS library refuses the configuration.
    #[error("failed to set up TLS: {0}\nhint: install the system's CA certificates, or pass --server-cert")]
    Tls(String),
}

// === impl MlflowServer ===

impl MlflowServer {
    /// A client with these settings. Opens no connection. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The certificates or the credentials cannot be used.
    pub fn new(server: &Server) -> Result<Self, ClientError> {
        let base = server.uri.as_url().clone();
        let mut headers = HeaderMap::new();
        if let Some(authorization) = authorization(&server.credentials)? {
            headers.insert(AUTHORIZATION, authorization);
        }
        let token = match &server.credentials {
            Credentials::TokenFile(path) => {
                let file = path.clone();
                Some(Reloaded::start("the token file", vec![path.clone()], move || token_in(&file))?)
            }
            _ => None,
        };
        let client = http_client::builder(&base, &server.trust)?.default_headers(headers).redirect(same_origin_only());
        let client = client.build().map_err(|error| ClientError::Tls(describe(&error)))?;
        Ok(Self { client, base, token })
    }

    async fn send(&self, request: Request) -> Result<Response, String> {
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|error| error.to_string())?;
        let url = self.base.join(&request.path).map_err(|error| error.to_string())?;
        if url.origin() != self.base.origin() {
            return Err(format!("{} is not a path below the tracking URI", request.path));
        }
        let mut builder = self.client.request(method, url).timeout(Duration::from_millis(request.timeout.into()));
        if let Some(token) = &self.token {
            builder = builder.header(AUTHORIZATION, HeaderValue::clone(&token.now()));
        }
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
    match credentials {
        Credentials::None | Credentials::TokenFile(_) => Ok(None),
        Credentials::Basic { username, password } => {
            let both = BASE64_STANDARD.encode(format!("{username}:{}", password.expose_secret()));
            sensitive(format!("Basic {both}")).map(Some)
        }
        Credentials::Bearer(token) => sensitive(format!("Bearer {}", token.expose_secret())).map(Some),
    }
}

fn token_in(path: &Path) -> Result<HeaderValue, ClientError> {
    let unusable = |reason: String| ClientError::TokenFile { path: path.display().to_string(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    match text.trim() {
        "" => Err(unusable("it is empty".to_owned())),
        token => sensitive(format!("Bearer {token}")),
    }
}

fn sensitive(value: String) -> Result<HeaderValue, ClientError> {
    let mut value = HeaderValue::try_from(value).map_err(|_| ClientError::Credentials)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Follows redirects that keep method, body and origin. Any other redirect is returned as the answer.
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
