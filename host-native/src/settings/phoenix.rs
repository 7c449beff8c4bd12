//! The Phoenix server that `import` reads. The API key and other headers come from the environment or the settings file,
//! under Phoenix's own names, never from a flag, and cannot be printed.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::credentials::quoted_secret;
use super::header_pairs::header_pairs;
use super::{SettingsError, Sources, Tls, Trust};
use crate::cli::ImportArgs;

const API_KEY: &str = "PHOENIX_API_KEY";
const HEADERS: &str = "PHOENIX_CLIENT_HEADERS";

/// Safe to print: shows no credentials or headers.
#[derive(Clone)]
pub struct PhoenixServer {
    /// Its address, without credentials; the path ends in a slash.
    pub url: Url,
    /// Headers for each request. Every value is marked as sensitive.
    pub headers: HeaderMap,
    /// TLS trust.
    pub trust: Trust,
}

/// What the settings file alone says of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct PhoenixKeys {
    #[serde(deserialize_with = "quoted_secret")]
    pub(super) phoenix_api_key: Option<SecretString>,
    #[serde(deserialize_with = "quoted_secret")]
    pub(super) phoenix_client_headers: Option<SecretString>,
}

impl PhoenixKeys {
    pub(super) fn is_secret(&self) -> bool {
        self.phoenix_api_key.is_some() || self.phoenix_client_headers.is_some()
    }
}

impl Sources {
    /// The Phoenix server of these flags.
    ///
    /// # Errors
    /// What is wrong with which setting, and what would be right.
    pub fn phoenix(&self, flags: &ImportArgs) -> Result<PhoenixServer, SettingsError> {
        let (url, in_url) = parse(flags.from_phoenix.expose_secret()).ok_or(SettingsError::PhoenixUrl)?;
        let keys = self.file.layer::<PhoenixKeys>()?;
        let secret =
            |name: &str, in_file: Option<SecretString>| self.environment.get(name).map(SecretString::from).or(in_file);
        let mut headers: HeaderMap = in_url.map(|value| (AUTHORIZATION, value)).into_iter().collect();
        if let Some(key) = secret(API_KEY, keys.phoenix_api_key) {
            let value = sensitive(format!("Bearer {}", key.expose_secret().trim()));
            headers.insert(AUTHORIZATION, value.ok_or(SettingsError::PhoenixHeader { variable: API_KEY })?);
        }
        if let Some(pairs) = secret(HEADERS, keys.phoenix_client_headers) {
            let pairs = header_pairs(pairs.expose_secret());
            headers.extend(pairs.ok_or(SettingsError::PhoenixHeader { variable: HEADERS })?);
        }
        let trust = Trust::from(flags.phoenix_cert.clone().map_or(Tls::System, Tls::Authorities));
        Ok(PhoenixServer { url, headers, trust })
    }
}

/// The address without its credentials, and these as a header.
fn parse(text: &str) -> Option<(Url, Option<HeaderValue>)> {
    let mut url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let authorization = url.password().and_then(|password| {
        let pair = format!("{}:{}", decode(url.username()), decode(password));
        sensitive(format!("Basic {}", BASE64_STANDARD.encode(pair)))
    });
    // Neither can fail for a URL with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    // What applications export to, or what the browser shows, is not where the API begins.
    let path = url.path().trim_end_matches('/').trim_end_matches("/v1/traces").trim_end_matches("/projects");
    let path = format!("{path}/");
    url.set_path(&path);
    Some((url, authorization))
}

fn sensitive(value: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl fmt::Display for PhoenixServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for PhoenixServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PhoenixServer").field(&self.url.as_str()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use crate::settings::{Environment, SettingsFile};

    fn phoenix(url: &str, environment: &[(&str, &str)], file: &str) -> Result<PhoenixServer, SettingsError> {
        let cli = Cli::try_from_arguments(["x", "import", "--from-phoenix", url, "--all-projects"]).unwrap();
        let Command::Import(args) = &cli.command else { panic!("expected import") };
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Sources::new(environment, SettingsFile::parse("f".into(), file.to_owned())?).phoenix(args)
    }

    #[test]
    fn given_an_address_as_people_copy_it_then_the_api_is_below_it() {
        for (text, shown) in [
            ("http://127.0.0.1:6006", "http://127.0.0.1:6006"),
            ("http://127.0.0.1:6006/v1/traces", "http://127.0.0.1:6006"),
            ("http://127.0.0.1:6006/projects", "http://127.0.0.1:6006"),
            ("https://app.example.com/s/space/?x=1", "https://app.example.com/s/space"),
        ] {
            let server = phoenix(text, &[], "").unwrap();
            assert_eq!((server.to_string().as_str(), server.url.path().ends_with('/')), (shown, true));
        }
        for text in ["127.0.0.1:6006", "grpc://host", "s3cret"] {
            let said = phoenix(text, &[], "").unwrap_err().to_string();
            assert!(said.contains("http://127.0.0.1:6006") && !said.contains("s3cret"), "{said}");
        }
    }

    #[test]
    fn given_credentials_then_they_are_sent_and_nowhere_shown() {
        let from_environment = [("PHOENIX_API_KEY", "s3cret"), ("PHOENIX_CLIENT_HEADERS", "x-key=s3cret%202")];
        let server = phoenix("http://me:s3cret3@host", &from_environment, "").unwrap();
        assert_eq!(server.headers["authorization"], "Bearer s3cret");
        assert_eq!(server.headers["x-key"], "s3cret 2");
        let shown = format!("{server} {server:?} {:?}", server.headers);
        assert!(!shown.contains("s3cret"), "{shown}");
        let in_file = phoenix("http://me:pass@host", &[], "phoenix_api_key = \"key\"").unwrap();
        assert_eq!(in_file.headers["authorization"], "Bearer key");
        assert_eq!(phoenix("http://me:pass@host", &[], "").unwrap().headers["authorization"], "Basic bWU6cGFzcw==");
        for (name, value) in [("PHOENIX_API_KEY", "s3\ncret"), ("PHOENIX_CLIENT_HEADERS", "s3cret")] {
            let said = phoenix("http://host", &[(name, value)], "").unwrap_err().to_string();
            assert!(said.contains(name) && !said.contains("s3"), "{said}");
        }
        assert!(Environment::from_iter([]).get("PHOENIX_API_KEY").is_none());
    }
}
