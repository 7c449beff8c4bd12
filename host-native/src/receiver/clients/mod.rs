//! Authenticates senders by bearer token, or by user name and password. The auth file has the hashes.
//!
//! Guarantees: secrets are compared in constant time, and neither stored nor logged; changes of the file apply within
//! seconds, to open connections too; passwords, which are expensive to check, are checked on blocking threads, a few at a
//! time, and once per client instead of once per request.

pub(crate) mod file;
mod passwords;

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::zeroize::Zeroizing;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::challenge::Challenge;
use super::refusal::Refusal;
use crate::reload::Reloaded;
use file::{AuthEntries, AuthFileError, Secret};
use passwords::{Hasher, Passwords};

/// A longer `authorization` header is rejected.
const LONGEST: usize = 4 << 10;

/// Authenticates requests. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Clients(Option<Gate>);

#[derive(Debug, Clone)]
struct Gate {
    known: Reloaded<Known>,
    hasher: Hasher,
}

/// The contents of the auth file.
struct Known {
    tokens: Vec<[u8; 32]>,
    passwords: Passwords,
}

// === impl Clients ===

impl Clients {
    /// Accepts the clients in the file. Without a file, accepts everyone.
    pub(super) fn start(file: Option<&Path>) -> Result<Self, AuthFileError> {
        let Some(path) = file.map(Path::to_path_buf) else { return Ok(Self(None)) };
        let source = path.clone();
        let known = Reloaded::start("the auth file", vec![path], move || -> Result<Known, AuthFileError> {
            let entries = file::read(&source)?;
            file::warn_if_unsafe(&source, &entries);
            Ok(Known::new(entries, file::random_bytes()?))
        })?;
        Ok(Self(Some(Gate { known, hasher: Hasher::default() })))
    }

    /// Checks the credentials of a request.
    pub(super) async fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(gate) = &self.0 else { return Ok(()) };
        let known = gate.known.now();
        let refusal = Refusal::Unauthenticated(known.challenge());
        let Some(value) = only(headers) else { return Err(refusal) };
        let Some((scheme, credential)) = value.split_once(' ') else { return Err(refusal) };
        let authenticated = match scheme.to_ascii_lowercase().as_str() {
            "bearer" => known.has_token(credential.trim()),
            "basic" => match user_and_password(credential.trim()) {
                Some(pair) => gate.hasher.check(&known.passwords, pair).await?,
                None => false,
            },
            _ => false,
        };
        if authenticated { Ok(()) } else { Err(refusal) }
    }
}

/// The `authorization` header. None if there are several.
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
    /// `key` is random and never leaves this process.
    fn new(entries: AuthEntries, key: [u8; 32]) -> Self {
        let mut known = Self { tokens: Vec::new(), passwords: Passwords::new(key) };
        for entry in entries.0 {
            match entry.secret {
                Secret::Token(digest) => known.tokens.push(digest),
                Secret::Password(hash) => known.passwords.insert(entry.name, hash),
            }
        }
        known
    }

    fn has_token(&self, token: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(token).into();
        // Compares every token, so that the time does not reveal which one matched.
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

#[cfg(test)]
mod tests;
