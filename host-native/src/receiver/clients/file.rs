//! The auth file: one entry per line, `#` starts a comment.
//!
//! - `NAME:sha256:HEX`: the SHA-256 of a bearer token. Tokens are long and random, so a fast hash is enough. A name may
//!   have several tokens, so that you can replace one without an interruption.
//! - `NAME:$2y$…`: a bcrypt hash of a password, as `htpasswd -B` writes it. One line per name.
//!
//! Guarantee: errors and log lines contain only the number of a line and its name.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

/// The bcrypt cost of new passwords: 2^10 rounds.
const COST: u32 = 10;
/// The highest accepted bcrypt cost. A higher one takes seconds per client.
const HIGHEST_COST: u32 = 14;
/// The prefix of tokens, so that secret scanners recognise a leaked one.
const TOKEN_PREFIX: &str = "oim_";

/// The entries, in the order of the file.
#[derive(Debug, Default)]
pub(crate) struct AuthEntries(pub(super) Vec<AuthEntry>);

/// One line.
#[derive(Debug)]
pub(super) struct AuthEntry {
    pub(super) name: String,
    pub(super) secret: Secret,
}

/// The secret of an entry.
pub(super) enum Secret {
    Token([u8; 32]),
    Password(String),
}

/// The auth file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthFileError {
    /// It cannot be read.
    #[error(
        "failed to read the auth file {path}: {source}\n\
         hint: openinference-mlflow auth add NAME --auth-file {path}", path = path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("failed to write the auth file {}: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is malformed.
    #[error("the auth file {}, line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong, and what is expected.
        problem: &'static str,
    },
    /// A name contains a character that is not allowed.
    #[error("invalid name {0:?}; expected letters, digits, dots, dashes, underscores or @")]
    Name(String),
    /// The name has a password already.
    #[error("{0} already has a password\nhint: remove that line first, or add a token instead")]
    Twice(String),
    /// The system's random number generator fails.
    #[error("the system's random number generator failed")]
    NoRandomness,
    /// A password cannot be hashed.
    #[error("failed to hash the password: {0}")]
    Hash(#[from] bcrypt::BcryptError),
}

/// Read the file.
pub(super) fn read(path: &Path) -> Result<AuthEntries, AuthFileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| AuthFileError::Unreadable { path: path.to_path_buf(), source })?;
    parse(&text).map_err(|(line, problem)| AuthFileError::Line { path: path.to_path_buf(), line, problem })
}

fn parse(text: &str) -> Result<AuthEntries, (usize, &'static str)> {
    let mut entries = AuthEntries::default();
    let mut users = HashSet::new();
    for (line, text) in (1..).zip(text.lines().map(str::trim)) {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let entry = entry(text).map_err(|problem| (line, problem))?;
        if matches!(entry.secret, Secret::Password(_)) && !users.insert(entry.name.clone()) {
            return Err((line, "this name has a password on an earlier line; keep one of them"));
        }
        entries.0.push(entry);
    }
    Ok(entries)
}

fn entry(line: &str) -> Result<AuthEntry, &'static str> {
    let Some((name, secret)) = line.split_once(':') else {
        return Err("expected NAME:sha256:<64 hexadecimal digits> or NAME:$2y$<bcrypt>");
    };
    if !is_name(name) {
        return Err("the name is empty or contains a character that is not allowed");
    }
    let secret = match secret.split_once(':') {
        Some(("sha256", digits)) => {
            Secret::Token(digest(digits).ok_or("expected 64 hexadecimal digits after sha256:")?)
        }
        _ => Secret::Password(password(secret)?),
    };
    Ok(AuthEntry { name: name.to_owned(), secret })
}

fn password(hash: &str) -> Result<String, &'static str> {
    let cost = hash.parse::<bcrypt::HashParts>().map(|parts| parts.get_cost());
    match cost {
        Ok(cost) if cost <= HIGHEST_COST => Ok(hash.to_owned()),
        Ok(_) => Err("this hash takes seconds to check; expected bcrypt with a cost of at most 14 (htpasswd -B -C 10)"),
        Err(_) => Err("expected sha256:<64 hexadecimal digits>, or a bcrypt hash as htpasswd -B writes it; \
                       MD5, SHA-1 and crypt hashes are not supported"),
    }
}

fn digest(digits: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

fn is_name(name: &str) -> bool {
    let fits = |character: char| character.is_alphanumeric() || ".-_@".contains(character);
    !name.is_empty() && name.len() <= 128 && name.chars().all(fits)
}

/// Warns if the file has no entries, or if other users can access it.
pub(super) fn warn_if_unsafe(path: &Path, entries: &AuthEntries) {
    if entries.0.is_empty() {
        tracing::warn!("the auth file {} has no entries; every request will be rejected", path.display());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o007 != 0) {
            tracing::warn!(
                "the auth file {path} is accessible to other users; run: chmod o= {path}",
                path = path.display()
            );
        }
    }
}

/// Adds a new random token. Creates the file if necessary.
pub(crate) fn add_token(path: &Path, name: &str) -> Result<SecretString, AuthFileError> {
    let token = format!("{TOKEN_PREFIX}{}", random()?);
    let digest = Sha256::digest(&token);
    append(path, name, &format!("sha256:{digest:x}"), false)?;
    Ok(token.into())
}

/// Adds a new random password. Creates the file if necessary.
pub(crate) fn add_password(path: &Path, name: &str) -> Result<SecretString, AuthFileError> {
    let password = random()?;
    append(path, name, &bcrypt::hash(&password, COST)?, true)?;
    Ok(password.into())
}

/// 256 random bits as text.
fn random() -> Result<String, AuthFileError> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes()?))
}

pub(super) fn random_bytes() -> Result<[u8; 32], AuthFileError> {
    let mut bytes = [0; 32];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| AuthFileError::NoRandomness)?;
    Ok(bytes)
}

/// Appends a line by replacing the file atomically. Only its owner can read it.
fn append(path: &Path, name: &str, secret: &str, once: bool) -> Result<(), AuthFileError> {
    if !is_name(name) {
        return Err(AuthFileError::Name(name.to_owned()));
    }
    let mut text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(AuthFileError::Unreadable { path: path.to_path_buf(), source }),
    };
    let entries =
        parse(&text).map_err(|(line, problem)| AuthFileError::Line { path: path.to_path_buf(), line, problem })?;
    let has_password = |entry: &AuthEntry| entry.name == name && matches!(entry.secret, Secret::Password(_));
    if once && entries.0.iter().any(has_password) {
        return Err(AuthFileError::Twice(name.to_owned()));
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text += &format!("{name}:{secret}\n");
    replace(path, &text).map_err(|source| AuthFileError::Unwritable { path: path.to_path_buf(), source })
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    // Replaces the target of a symbolic link, not the link.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Created with mode 0600.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token",
            Self::Password(_) => "Password",
        })
    }
}
