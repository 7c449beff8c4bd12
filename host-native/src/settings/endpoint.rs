//! Parses the destinations of `--forward` and their headers.

use std::fmt;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::Trust;
use super::header_pairs::header_pairs;

/// A forward destination. Safe to print: shows no credentials or headers.
#[derive(Clone, PartialEq, Eq)]
pub struct ForwardEndpoint {
    /// The protocol.
    pub protocol: ForwardProtocol,
    /// The URL to post to. For gRPC, without the path of the method.
    pub url: Url,
    /// Headers for each request. Every value is marked as sensitive.
    pub headers: HeaderMap,
    /// TLS trust.
    pub trust: Trust,
    written: String,
}

/// The protocol of a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardProtocol {
    /// OTLP/HTTP.
    Http,
    /// OTLP/gRPC.
    Grpc,
}

/// An invalid destination. Contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForwardEndpointError {
    /// The URL is invalid or has an unknown scheme.
    #[error(
        "invalid --forward destination; expected http://… or https://… (OTLP/HTTP), grpc://… or grpcs://… \
         (OTLP/gRPC), such as http://127.0.0.1:6006 or grpc://127.0.0.1:4317"
    )]
    Url,
    /// A destination is given twice.
    #[error("--forward names {0} twice")]
    Twice(String),
    /// A header is malformed.
    #[error(
        "invalid header for {0}; expected comma-separated name=value pairs with percent-encoded values, as in \
         OTEL_EXPORTER_OTLP_HEADERS"
    )]
    Header(String),
    /// Headers for a destination that is not configured.
    #[error(
        "headers for a destination that --forward does not name; each line is a --forward destination, a space, and name=value pairs"
    )]
    Nobody,
}

// === impl ForwardEndpoint ===

impl ForwardEndpoint {
    /// Parses destinations, and headers for them: one destination per line, followed by a space and comma-separated
    /// `name=value` pairs with percent-encoded values.
    ///
    /// # Errors
    /// What is wrong, without the text itself.
    pub fn parse_all<'a>(
        destinations: impl IntoIterator<Item = &'a str>,
        headers: &str,
    ) -> Result<Vec<Self>, ForwardEndpointError> {
        let mut endpoints: Vec<Self> = Vec::new();
        for destination in destinations {
            let endpoint = Self::parse(destination)?;
            if endpoints.iter().any(|other| other.written == endpoint.written) {
                return Err(ForwardEndpointError::Twice(endpoint.written));
            }
            endpoints.push(endpoint);
        }
        for line in headers.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (destination, pairs) = line.split_once(char::is_whitespace).ok_or(ForwardEndpointError::Nobody)?;
            let named = Self::parse(destination).map_err(|_| ForwardEndpointError::Nobody)?;
            let endpoint = endpoints.iter_mut().find(|endpoint| endpoint.written == named.written);
            endpoint.ok_or(ForwardEndpointError::Nobody)?.add_headers(pairs)?;
        }
        Ok(endpoints)
    }

    fn parse(text: &str) -> Result<Self, ForwardEndpointError> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(ForwardEndpointError::Url)?;
        let (protocol, spoken, port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (ForwardProtocol::Http, "http", None),
            "https" => (ForwardProtocol::Http, "https", None),
            "grpc" => (ForwardProtocol::Grpc, "http", Some(4317)),
            "grpcs" => (ForwardProtocol::Grpc, "https", None),
            _ => return Err(ForwardEndpointError::Url),
        };
        let mut url = Url::parse(&format!("{spoken}://{rest}")).map_err(|_| ForwardEndpointError::Url)?;
        if url.host_str().is_none() || (protocol == ForwardProtocol::Grpc && url.path() != "/") {
            return Err(ForwardEndpointError::Url);
        }
        // `Url` drops port 80 of an http URL, even if it was written.
        let written_port = rest.split('/').next().is_some_and(|authority| authority.ends_with(":80"));
        if let (Some(port), None, false) = (port, url.port(), written_port) {
            url.set_port(Some(port)).map_err(|()| ForwardEndpointError::Url)?;
        }
        let headers = credentials(&url)?;
        // Cannot fail for a URL with a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_fragment(None);
        if protocol == ForwardProtocol::Http && url.path() == "/" {
            url.set_path("/v1/traces");
        }
        let mut shown = url.clone();
        // A query may contain a key.
        shown.set_query(None);
        let written = match (protocol, url.scheme()) {
            (ForwardProtocol::Http, _) => shown.to_string(),
            (ForwardProtocol::Grpc, "https") => format!("grpcs://{}", authority(&shown)),
            (ForwardProtocol::Grpc, _) => format!("grpc://{}", authority(&shown)),
        };
        Ok(Self { protocol, url, headers, trust: Trust::default(), written })
    }

    fn add_headers(&mut self, pairs: &str) -> Result<(), ForwardEndpointError> {
        let headers = header_pairs(pairs).ok_or_else(|| ForwardEndpointError::Header(self.written.clone()))?;
        self.headers.extend(headers);
        Ok(())
    }
}

impl fmt::Display for ForwardEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Debug for ForwardEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ForwardEndpoint").field(&self.written).finish()
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn credentials(url: &Url) -> Result<HeaderMap, ForwardEndpointError> {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    let mut headers = HeaderMap::new();
    if let Some(password) = url.password() {
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let pair = format!("{}:{}", decode(url.username()), decode(password));
        let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair)))
            .map_err(|_| ForwardEndpointError::Url)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> ForwardEndpoint {
        ForwardEndpoint::parse_all([text], "").unwrap().remove(0)
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
        let endpoints =
            ForwardEndpoint::parse_all(["https://host", "http://me:s3cret3@other?key=s3cret4"], headers).unwrap();
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
            ForwardEndpoint::parse_all(destinations.iter().copied(), headers).unwrap_err().to_string()
        };
        for text in ["127.0.0.1:4317", "ftp://host", "http://", "grpc://host/path", "s3cret"] {
            let said = refused(&[text], "");
            assert!(said.contains("grpc://127.0.0.1:4317") && !said.contains("s3cret"), "{said}");
        }
        assert!(refused(&["http://a", "http://a/"], "").contains("twice"));
        for headers in ["http://b x=s3cret", "http://a", "x=s3cret"] {
            let said = refused(&["http://a"], headers);
            assert!(said.contains("--forward does not name") && !said.contains("s3cret"), "{said}");
        }
        let said = refused(&["http://a"], "http://a s3cret");
        assert!(said.contains("name=value") && !said.contains("s3cret"), "{said}");
    }
}
