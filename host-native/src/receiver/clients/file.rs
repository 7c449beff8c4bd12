//! The file of those who may send. One line an entry, `#` begins a comment:
//!
//! - `NAME:sha256:HEX`: a bearer token, as the SHA-256 of its bytes. Tokens are random and long, so that nobody finds one
//!   by trying; several lines of one name are several tokens, of which the old one goes when everybody has the new one.
//! - `NAME:$2y$…`: a password, as bcrypt, which is what `htpasswd -B` writes. One line a name.
//!
//! Guarantee: no error and no log line says anything of a line but its number and its name.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

/// What new passwords are hashed with: 2^10 rounds.
const COST: u32 = 10;
/// A hash with more rounds would take seconds for each client.
const HIGHEST_COST: u32 = 14;
/// What tokens begin with, so that one that leaked is recognised.
const TOKEN_PREFIX: &str = "oim_";

/// What the file says, in its order.
#[derive(Debug, Default)]
pub(crate) struct Entries(pub(super) Vec<Entry>);

/// One line.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What a client proves who it is with.
pub(super) enum Kind {
    Token([u8; 32]),
    Password(String),
}

/// The auth file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthFileError {
    /// It cannot be read.
    #[error(
        "the auth file {path} cannot be read: {source}\n\
         hint: openinference-mlflow auth add NAME --auth-file {path}", path = path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be written.
    #[error("the auth file {} cannot be written: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line means nothing.
    #[error("the auth file {}, line {line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
    /// A name that no line can have.
    #[error("{0:?} cannot be a name; expected letters, digits, dots, dashes, underscores or @")]
    Name(String),
    /// A user has one password.
    #[error("{0} has a password already\nhint: remove that line first, or add a token instead")]
    Twice(String),
    /// The system has no random numbers.
    #[error("the system gives no random numbers")]
    NoRandomness,
    /// A password cannot be hashed.
    #[error("the password cannot be hashed: {0}")]
    Hash(#[from] bcrypt::BcryptError),
}

/// Read the file.
pub(super) fn read(path: &Path) -> Result<Entries, AuthFileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| AuthFileError::Unreadable { path: path.to_path_buf(), source })?;
    parse(&text).map_err(|(line, problem)| AuthFileError::Line { path: path.to_path_buf(), line, problem })
}

fn parse(text: &str) -> Result<Entries, (usize, &'static str)> {
    let mut entries = Entries::default();
    let mut users = HashSet::new();
    for (line, text) in (1..).zip(text.lines().map(str::trim)) {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let entry = entry(text).map_err(|problem| (line, problem))?;
        if matches!(entry.kind, Kind::Password(_)) && !users.insert(entry.name.clone()) {
            return Err((line, "this name has a password in an earlier line; keep one of them"));
        }
        entries.0.push(entry);
    }
    Ok(entries)
}

fn entry(line: &str) -> Result<Entry, &'static str> {
    let Some((name, secret)) = line.split_once(':') else {
        return Err("expected NAME:sha256:<64 hexadecimal digits> or NAME:$2y$<bcrypt>");
    };
    if !is_name(name) {
        return Err("the name has a character that names cannot have, or is empty");
    }
    let kind = match secret.split_once(':') {
        Some(("sha256", digits)) => Kind::Token(digest(digits).ok_or("expected 64 hexadecimal digits after sha256:")?),
        _ => Kind::Password(password(secret)?),
    };
    Ok(Entry { name: name.to_owned(), kind })
}

fn password(hash: &str) -> Result<String, &'static str> {
    let cost = hash.parse::<bcrypt::HashParts>().map(|parts| parts.get_cost());
    match cost {
        Ok(cost) if cost <= HIGHEST_COST => Ok(hash.to_owned()),
        Ok(_) => Err("this hash takes seconds to check; expected bcrypt with a cost of at most 14 (htpasswd -B -C 10)"),
        Err(_) => Err("expected sha256:<64 hexadecimal digits>, or a bcrypt hash as htpasswd -B writes it; \
                       MD5, SHA-1 and crypt hashes are not taken"),
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

/// Say what makes the file less safe, or useless, than it looks.
pub(super) fn warn_of_dangers(path: &Path, entries: &Entries) {
    if entries.0.is_empty() {
        tracing::warn!("the auth file {} has no entries: nobody can send anything", path.display());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o007 != 0) {
            tracing::warn!("the auth file {path} is open to other users; chmod o= {path}", path = path.display());
        }
    }
}

/// Add a new random token to the file, which is made when it is not there.
pub(crate) fn add_token(path: &Path, name: &str) -> Result<SecretString, AuthFileError> {
    let token = format!("{TOKEN_PREFIX}{}", random()?);
    let digest = Sha256::digest(&token);
    append(path, name, &format!("sha256:{digest:x}"), false)?;
    Ok(token.into())
}

/// The same with a new random password.
pub(crate) fn add_password(path: &Path, name: &str) -> Result<SecretString, AuthFileError> {
    let password = random()?;
    append(path, name, &bcrypt::hash(&password, COST)?, true)?;
    Ok(password.into())
}

/// Random text of 256 bits.
fn random() -> Result<String, AuthFileError> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes()?))
}

pub(super) fn random_bytes() -> Result<[u8; 32], AuthFileError> {
    let mut bytes = [0; 32];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| AuthFileError::NoRandomness)?;
    Ok(bytes)
}

/// Replaces the file by one with a line more, in one step, readable by nobody else.
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
    let has_password = |entry: &Entry| entry.name == name && matches!(entry.kind, Kind::Password(_));
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
    // A link stays a link.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Made with mode 0600.
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token",
            Self::Password(_) => "Password",
        })
    }
}
