//! Where payloads are forwarded to, as a person writes it.

use std::fmt;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::settings::Trust;

/// A destination. Safe to print: credentials and headers are not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// How it is spoken to.
    pub protocol: Protocol,
    /// The whole URL that is posted to; for gRPC, without the method's path.
    pub url: Url,
    /// What is sent with each request; every value is marked as sensitive.
    pub headers: HeaderMap,
    /// How it is verified, and what is shown to it.
    pub trust: Trust,
    written: String,
}

/// How a destination is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP/HTTP.
    Http,
    /// OTLP/gRPC.
    Grpc,
}

/// A destination that cannot be used. Names no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEndpoint {
    /// It is no URL of a kind that is known.
    #[error(
        "a destination of --forward is not usable; expected http://… or https://… (OTLP/HTTP), grpc://… or grpcs://… \
         (OTLP/gRPC), such as http://127.0.0.1:6006 or grpc://127.0.0.1:4317"
    )]
    Url,
    /// Two are the same.
    #[error("{0} is named twice by --forward; name it once")]
    Twice(String),
    /// A header is malformed.
    #[error(
        "a header for {0} cannot be used; expected name=value pairs with commas between them, values percent-encoded, as in \
         OTEL_EXPORTER_OTLP_HEADERS"
    )]
    Header(String),
    /// Headers for nobody.
    #[error(
        "there are headers for a destination that --forward does not name; each line is a destination as --forward names it, a space, and name=value pairs"
    )]
    Nobody,
}

// === impl Endpoint ===

impl Endpoint {
    /// The destinations that a person named, with the headers for each: lines of a destination and, after a space,
    /// `name=value` pairs with commas between them and percent-encoded values.
    ///
    /// # Errors
    /// What is wrong, without what it says.
    pub fn parse_all<'a>(
        destinations: impl IntoIterator<Item = &'a str>,
        headers: &str,
    ) -> Result<Vec<Self>, BadEndpoint> {
        let mut endpoints: Vec<Self> = Vec::new();
        for destination in destinations {
            let endpoint = Self::parse(destination)?;
            if endpoints.iter().any(|other| other.written == endpoint.written) {
                return Err(BadEndpoint::Twice(endpoint.written));
            }
            endpoints.push(endpoint);
        }
        for line in headers.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (destination, pairs) = line.split_once(char::is_whitespace).ok_or(BadEndpoint::Nobody)?;
            let named = Self::parse(destination).map_err(|_| BadEndpoint::Nobody)?;
            let endpoint = endpoints.iter_mut().find(|endpoint| endpoint.written == named.written);
            endpoint.ok_or(BadEndpoint::Nobody)?.add_headers(pairs)?;
        }
        Ok(endpoints)
    }

    fn parse(text: &str) -> Result<Self, BadEndpoint> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(BadEndpoint::Url)?;
        let (protocol, spoken, port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Protocol::Http, "http", None),
            "https" => (Protocol::Http, "https", None),
            "grpc" => (Protocol::Grpc, "http", Some(4317)),
            "grpcs" => (Protocol::Grpc, "https", None),
            _ => return Err(BadEndpoint::Url),
        };
        let mut url = Url::parse(&format!("{spoken}://{rest}")).map_err(|_| BadEndpoint::Url)?;
        if url.host_str().is_none() || (protocol == Protocol::Grpc && url.path() != "/") {
            return Err(BadEndpoint::Url);
        }
        // http leaves its own port out, whether it was written or not.
        let written_port = rest.split('/').next().is_some_and(|authority| authority.ends_with(":80"));
        if let (Some(port), None, false) = (port, url.port(), written_port) {
            url.set_port(Some(port)).map_err(|()| BadEndpoint::Url)?;
        }
        let headers = credentials(&url)?;
        // Neither can fail for a URL with a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        if protocol == Protocol::Http && url.path() == "/" {
            url.set_path("/v1/traces");
        }
        let mut shown = url.clone();
        // A query may hold a key.
        shown.set_query(None);
        let written = match (protocol, url.scheme()) {
            (Protocol::Http, _) => shown.to_string(),
            (Protocol::Grpc, "https") => format!("grpcs://{}", authority(&shown)),
            (Protocol::Grpc, _) => format!("grpc://{}", authority(&shown)),
        };
        Ok(Self { protocol, url, headers, trust: Trust::default(), written })
    }

    fn add_headers(&mut self, pairs: &str) -> Result<(), BadEndpoint> {
        let bad = || BadEndpoint::Header(self.written.clone());
        let mut headers = HeaderMap::new();
        for pair in pairs.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(bad)?;
            let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8().map_err(|_| bad())?;
            let name = HeaderName::try_from(name.trim().to_ascii_lowercase()).map_err(|_| bad())?;
            let mut value = HeaderValue::from_str(&value).map_err(|_| bad())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        self.headers.extend(headers);
        Ok(())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoint").field(&self.written).finish()
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn credentials(url: &Url) -> Result<HeaderMap, BadEndpoint> {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    let mut headers = HeaderMap::new();
    if let Some(password) = url.password() {
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let pair = format!("{}:{}", decode(url.username()), decode(password));
        let mut value =
            HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair))).map_err(|_| BadEndpoint::Url)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Endpoint {
        Endpoint::parse_all([text], "").unwrap().remove(0)
    }

    #[test]
    fn given_an_endpoint_without_a_path_then_it_is_that_of_otlp() {
        for (text, url, shown) in [
            ("http://127.0.0.1:6006", "http://127.0.0.1:6006/v1/traces", "http://127.0.0.1:6006/v1/traces"),
            ("http://127.0.0.1:6006/", "http://127.0.0.1:6006/v1/traces", "http://127.0.0.1:6006/v1/traces"),
            ("https://host/otlp/v1/traces", "https://host/otlp/v1/traces", "https://host/otlp/v1/traces"),
            ("grpc://127.0.0.1:4327", "http://127.0.0.1:4327/", "grpc://127.0.0.1:4327"),
            ("grpc://collector", "http://collector:4317/", "grpc://collector:4317"),
            ("grpc://collector:80", "http://collector/", "grpc://collector:80"),
            ("grpcs://host", "https://host/", "grpcs://host:443"),
        ] {
            let endpoint = one(text);
            assert_eq!((endpoint.url.as_str(), endpoint.to_string().as_str()), (url, shown));
        }
    }

    #[test]
    fn given_credentials_then_they_are_sent_and_nowhere_shown() {
        let headers = "https://host authorization=Bearer%20s3cret, x-key = s3cret2\n";
        let endpoints = Endpoint::parse_all(["https://host", "http://me:s3cret3@other?key=s3cret4"], headers).unwrap();
        assert_eq!(endpoints[0].headers["authorization"], "Bearer s3cret");
        assert_eq!(endpoints[0].headers["x-key"], "s3cret2");
        assert_eq!(endpoints[1].headers["authorization"], "Basic bWU6czNjcmV0Mw==");
        assert_eq!(endpoints[1].url.query(), Some("key=s3cret4"));
        let shown = format!("{endpoints:?} {} {} {:?}", endpoints[0], endpoints[1], endpoints[0].headers);
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn given_what_cannot_be_used_then_the_error_says_what_would_be_right_and_no_secret() {
        let refused = |destinations: &[&str], headers: &str| {
            Endpoint::parse_all(destinations.iter().copied(), headers).unwrap_err().to_string()
        };
        for text in ["127.0.0.1:4317", "ftp://host", "http://", "grpc://host/path", "s3cret"] {
            let said = refused(&[text], "");
            assert!(said.contains("grpc://127.0.0.1:4317") && !said.contains("s3cret"), "{said}");
        }
        assert!(refused(&["http://a", "http://a/"], "").contains("named twice"));
        for headers in ["http://b x=s3cret", "http://a", "x=s3cret"] {
            let said = refused(&["http://a"], headers);
            assert!(said.contains("--forward does not name") && !said.contains("s3cret"), "{said}");
        }
        let said = refused(&["http://a"], "http://a s3cret");
        assert!(said.contains("name=value") && !said.contains("s3cret"), "{said}");
    }
}
