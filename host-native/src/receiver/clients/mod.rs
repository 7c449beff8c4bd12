//! Who may send: a bearer token or a user name with a password, of which a file has the hash.
//!
//! Guarantees: secrets are compared in constant time, and neither kept nor logged; a file that changes counts within
//! seconds, for connections that stand as well; passwords, which are expensive to check, are checked away from the threads
//! that serve others, few at once, and once per client instead of once per request.

pub(crate) mod file;
mod passwords;

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use secrecy::zeroize::Zeroizing;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::refusal::Refusal;
use super::reload::Reloaded;
use file::{AuthFileError, Entries, Kind};
use passwords::{Hasher, Passwords};

/// A longer `authorization` header is no credential of ours.
const LONGEST: usize = 4 << 10;

/// Decides who may send. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Clients(Option<Gate>);

#[derive(Debug, Clone)]
struct Gate {
    known: Reloaded<Known>,
    hasher: Hasher,
}

/// What the file says.
struct Known {
    tokens: Vec<[u8; 32]>,
    passwords: Passwords,
}

/// What a client without valid credentials is asked for: the value of `www-authenticate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Challenge {
    Bearer,
    Basic,
    Both,
}

// === impl Clients ===

impl Clients {
    /// Whoever the file knows; without a file, everybody.
    pub(super) fn start(file: Option<&Path>) -> Result<Self, AuthFileError> {
        let Some(path) = file.map(Path::to_path_buf) else { return Ok(Self(None)) };
        let source = path.clone();
        let known = Reloaded::start("the auth file", vec![path], move || -> Result<Known, AuthFileError> {
            let entries = file::read(&source)?;
            file::warn_of_dangers(&source, &entries);
            Ok(Known::new(entries, file::random_bytes()?))
        })?;
        Ok(Self(Some(Gate { known, hasher: Hasher::default() })))
    }

    /// Whether a request with these headers may be served.
    pub(super) async fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(gate) = &self.0 else { return Ok(()) };
        let known = gate.known.now();
        let refusal = Refusal::Unauthenticated(known.challenge());
        let Some(value) = only(headers) else { return Err(refusal) };
        let Some((scheme, credential)) = value.split_once(' ') else { return Err(refusal) };
        let welcome = match scheme.to_ascii_lowercase().as_str() {
            "bearer" => known.has_token(credential.trim()),
            "basic" => match user_and_password(credential.trim()) {
                Some(pair) => gate.hasher.check(&known.passwords, pair).await?,
                None => false,
            },
            _ => false,
        };
        if welcome { Ok(()) } else { Err(refusal) }
    }
}

/// The one `authorization` header; two of them are none.
fn only(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().filter(|value| value.len() <= LONGEST)?;
    values.next().is_none().then(|| value.to_str().ok()).flatten()
}

/// RFC 7617: base64 of the name, a colon, and the password.
fn user_and_password(credential: &str) -> Option<Zeroizing<String>> {
    let decoded = Zeroizing::new(STANDARD.decode(credential).ok()?);
    let text = std::str::from_utf8(&decoded).ok()?;
    text.contains(':').then(|| Zeroizing::new(text.to_owned()))
}

// === impl Known ===

impl Known {
    /// `key` is random, and known to nobody else.
    fn new(entries: Entries, key: [u8; 32]) -> Self {
        let mut known = Self { tokens: Vec::new(), passwords: Passwords::new(key) };
        for entry in entries.0 {
            match entry.kind {
                Kind::Token(digest) => known.tokens.push(digest),
                Kind::Password(hash) => known.passwords.insert(entry.name, hash),
            }
        }
        known
    }

    fn has_token(&self, token: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(token).into();
        // Every token is compared, so that the time says nothing of which.
        let found = self.tokens.iter().fold(Choice::from(0), |found, known| found | known.ct_eq(&digest));
        found.into()
    }

    fn challenge(&self) -> Challenge {
        match (self.tokens.is_empty(), self.passwords.is_empty()) {
            (false, false) => Challenge::Both,
            (true, false) => Challenge::Basic,
            (_, true) => Challenge::Bearer,
        }
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("tokens", &self.tokens.len()).finish_non_exhaustive()
    }
}

// === impl Challenge ===

impl Challenge {
    pub(super) fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Bearer => r#"Bearer realm="openinference-mlflow""#,
            Self::Basic => r#"Basic realm="openinference-mlflow", charset="UTF-8""#,
            Self::Both => r#"Bearer realm="openinference-mlflow", Basic realm="openinference-mlflow", charset="UTF-8""#,
        })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer => "`authorization: Bearer <token>`",
            Self::Basic => "`authorization: Basic <user name and password>`",
            Self::Both => "`authorization: Bearer <token>` or `authorization: Basic <user name and password>`",
        })
    }
}

#[cfg(test)]
mod tests;
