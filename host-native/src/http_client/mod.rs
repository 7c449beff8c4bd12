//! What all outgoing HTTP clients share: the user agent, the connect timeout, the TLS trust settings, and error texts.

mod trust;

use std::error::Error;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Url};

use crate::settings::Trust;

pub use trust::TrustError;

const USER_AGENT: &str = concat!("openinference-mlflow/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client builder for this URL, with these trust settings.
///
/// # Errors
/// A certificate file cannot be used.
pub(crate) fn builder(url: &Url, trust: &Trust) -> Result<ClientBuilder, TrustError> {
    // An error means that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    trust::apply(Client::builder().user_agent(USER_AGENT).connect_timeout(CONNECT_TIMEOUT), url, trust)
}

/// Describes an error and its causes in one line, without the URL.
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
