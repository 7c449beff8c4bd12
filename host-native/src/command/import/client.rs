//! HTTP to Phoenix: requests that are repeated while they may succeed, and errors that say what to do.
//!
//! Guarantees: credentials are sent only to the origin of the address and appear in no text; an answer takes at most
//! [`MAX_ANSWER`] bytes of memory.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use super::failure::{Attempt, Failure};
use crate::http_client::{self, describe};
use crate::settings::PhoenixServer;

/// The largest answer, in bytes.
const MAX_ANSWER: usize = 64 << 20;
/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Phoenix says its version in this header of every answer.
const VERSION: &str = "x-phoenix-server-version";
/// How often Phoenix may fail on one request before it is given up: it may be what was asked for.
const CRASHES: u32 = 3;

/// When to ask again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// The delay before the first repetition; it doubles each time.
    pub(super) first: Duration,
    /// The longest delay.
    pub(super) longest: Duration,
    /// How long Phoenix may be away.
    pub(super) limit: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let (first, longest) = (Duration::from_millis(500), Duration::from_secs(10));
        Self { first, longest, limit: Duration::from_secs(120) }
    }
}

/// A client of one Phoenix server.
#[derive(Debug)]
pub(super) struct Phoenix {
    client: Client,
    server: PhoenixServer,
    patience: Patience,
    /// Whether it ever answered: one that never did is not waited for.
    reached: bool,
}

// === impl Phoenix ===

impl Phoenix {
    pub(super) fn new(server: PhoenixServer, patience: Patience) -> anyhow::Result<Self> {
        let builder = http_client::builder(&server.url, &server.trust)?;
        let builder = builder.default_headers(server.headers.clone()).redirect(redirect::Policy::none());
        let client = builder.build().map_err(|error| anyhow::anyhow!("failed to set up TLS: {}", describe(&error)))?;
        Ok(Self { client, server, patience, reached: false })
    }

    /// What is at this path below `v1/`, whose segments and query need no escaping.
    ///
    /// # Errors
    /// What Phoenix lacks or refuses; it is away for too long; it fails on this request again and again.
    pub(super) async fn get<T: DeserializeOwned>(
        &mut self,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let url = self.url(path, query)?;
        let (mut delay, mut crashes) = (self.patience.first, 0);
        let give_up = Instant::now() + self.patience.limit;
        loop {
            let failure = match self.attempt(url.clone()).await {
                Ok(body) => {
                    let parsed = serde_json::from_slice(&body);
                    return parsed.map_err(|error| Failure::Other(self.unexpected(path, &error)));
                }
                Err(Attempt::Fails(failure)) => return Err(failure),
                Err(Attempt::Crashed(reason)) if crashes + 1 >= CRASHES => return Err(Failure::Content(reason)),
                Err(Attempt::Crashed(reason)) => {
                    crashes += 1;
                    (reason, None)
                }
                Err(Attempt::Away(reason, _)) if !self.reached => return Err(Failure::Other(self.silent(&reason))),
                Err(Attempt::Away(reason, _)) if Instant::now() + delay >= give_up => {
                    return Err(Failure::Other(self.lost(&reason)));
                }
                Err(Attempt::Away(reason, wait)) => (reason, wait),
            };
            let (reason, wait) = failure;
            let wait = wait.unwrap_or_else(|| delay.mul_f64(0.5 + fastrand::f64() / 2.0)).min(self.patience.limit);
            tracing::warn!("Phoenix: {reason}; asking again in {:.1} s", wait.as_secs_f64());
            sleep(wait).await;
            delay = (delay * 2).min(self.patience.longest);
        }
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<Url> {
        let mut url = self.server.url.clone();
        let mut segments = url.path_segments_mut().ok().context("the address of Phoenix has no path")?;
        segments.pop_if_empty().push("v1").extend(path);
        drop(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    async fn attempt(&mut self, url: Url) -> Result<Vec<u8>, Attempt> {
        let request = self.client.get(url).timeout(TIMEOUT);
        let response = request.send().await.map_err(|error| Attempt::Away(describe(&error), None))?;
        let status = response.status();
        let wait = retry_after(response.headers());
        let failed = || format!("answered {}", status.as_u16());
        match status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(Failure::Other(self.denied(status)).into());
            }
            StatusCode::NOT_FOUND if response.headers().contains_key(VERSION) => return Err(Failure::NotFound.into()),
            StatusCode::NOT_FOUND => return Err(Failure::Other(self.unknown(response.headers())).into()),
            StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => return Err(Attempt::Away(failed(), wait)),
            status if status.is_server_error() => return Err(Attempt::Crashed(failed())),
            status if status.is_redirection() => return Err(Failure::Other(self.moved(response.headers())).into()),
            _ => return Err(Failure::Other(self.refused(status)).into()),
        }
        if !is_json(response.headers()) {
            // Phoenix answers what it does not know with the page of its user interface.
            return Err(Failure::Other(self.unknown(response.headers())).into());
        }
        self.reached = true;
        read(response).await
    }
}

/// The errors.
impl Phoenix {
    fn silent(&self, reason: &str) -> anyhow::Error {
        anyhow::anyhow!(
            "{} does not answer: {reason}\nhint: --from-phoenix is the address that the browser has, such as \
             http://127.0.0.1:6006; is Phoenix running?",
            self.server
        )
    }

    fn lost(&self, reason: &str) -> anyhow::Error {
        anyhow::anyhow!(
            "{} has not answered for {} s: {reason}\nhint: once it is back, the same command goes on where this one \
             stopped",
            self.server,
            self.patience.limit.as_secs()
        )
    }

    fn denied(&self, status: StatusCode) -> anyhow::Error {
        let (server, status) = (&self.server, status.as_u16());
        if server.headers.is_empty() {
            anyhow::anyhow!(
                "{server} asks for credentials ({status})\nhint: make an API key in Phoenix's settings, and set \
                 PHOENIX_API_KEY"
            )
        } else {
            anyhow::anyhow!(
                "{server} does not accept the credentials ({status})\nhint: PHOENIX_API_KEY has to be a key that is valid \
                 on this server; PHOENIX_CLIENT_HEADERS wins over it"
            )
        }
    }

    fn refused(&self, status: StatusCode) -> anyhow::Error {
        anyhow::anyhow!("{} refuses a request ({}); is it Phoenix 20 or later?", self.server, status.as_u16())
    }

    fn moved(&self, headers: &HeaderMap) -> anyhow::Error {
        let to = headers.get(LOCATION).and_then(|to| self.server.url.join(to.to_str().ok()?).ok());
        let to = to.map_or_else(|| "another address".to_owned(), |to| to.origin().ascii_serialization());
        anyhow::anyhow!("{} redirects to {to}\nhint: give --from-phoenix that address", self.server)
    }

    fn unknown(&self, headers: &HeaderMap) -> anyhow::Error {
        match headers.get(VERSION).and_then(|version| version.to_str().ok()) {
            Some(version) => anyhow::anyhow!(
                "{} is Phoenix {version}, which lacks a request that the import needs\nhint: update Phoenix to 20.26 or \
                 later; it keeps its data",
                self.server
            ),
            None => anyhow::anyhow!(
                "{} answers, but not as Phoenix does\nhint: --from-phoenix is the address that the browser has, such as \
                 http://127.0.0.1:6006",
                self.server
            ),
        }
    }

    /// The error's own text may quote a value.
    fn unexpected(&self, path: &[&str], error: &serde_json::Error) -> anyhow::Error {
        let (line, column) = (error.line(), error.column());
        anyhow::anyhow!(
            "{} answers {} with JSON of another shape (line {line}, column {column}); is it Phoenix 20 or later?",
            self.server,
            path.last().unwrap_or(&"")
        )
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn read(mut response: Response) -> Result<Vec<u8>, Attempt> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > MAX_ANSWER => {
                let reason = format!("answers with more than {} MiB", MAX_ANSWER >> 20);
                return Err(Failure::Content(reason).into());
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(Attempt::Away(describe(&error), None)),
        }
    }
}
