//! The settings file as a layer: TOML, one flat table, each key a flag's name with underscores, and the credentials
//! that no flag takes. An unknown key is an error that names the nearest known one. A file that was named must exist;
//! the default one need not.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use serde::de::DeserializeOwned;
use serde_aux::serde_introspection::serde_introspect;

use super::SettingsError;
use super::credentials::CredentialKeys;
use super::forward::ForwardKeys;
use super::phoenix::PhoenixKeys;
use crate::cli::{
    AccessArgs, DestinationArgs, ForwardArgs, GlobalArgs, JournalArgs, KafkaArgs, LimitArgs, OperateArgs, ReceiveArgs,
    TuningArgs,
};

/// A settings file that was read, or the absence of one.
#[derive(Debug, Clone, Default)]
pub struct SettingsFile {
    path: PathBuf,
    text: String,
}

impl SettingsFile {
    /// Read the file that was named, or else the default one if it is there.
    ///
    /// # Errors
    /// The named file is missing, a file is unreadable, is no TOML, or has a key that is not known.
    pub fn read(named: Option<&Path>) -> Result<Self, SettingsError> {
        let Some(path) = named.map(Path::to_path_buf).or_else(default_path) else { return Ok(Self::default()) };
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(path, text),
            Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(SettingsError::FileUnreadable { path, source }),
        }
    }

    /// Take a file's text; `path` is for error messages.
    ///
    /// # Errors
    /// The text is no TOML, or has a key that is not known.
    pub fn parse(path: PathBuf, text: String) -> Result<Self, SettingsError> {
        let file = Self { path, text };
        let table: toml::Table = file.layer()?;
        let known = known_keys();
        match table.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(file),
            Some(key) => Err(SettingsError::UnknownKey { path: file.path, key: key.clone(), hint: hint(key, &known) }),
        }
    }

    /// Where the settings came from, if there was a file.
    pub fn path(&self) -> Option<&Path> {
        Some(self.path.as_path()).filter(|path| !path.as_os_str().is_empty())
    }

    /// Whether others must not read the file.
    pub fn holds_secrets(&self) -> bool {
        self.layer::<CredentialKeys>().is_ok_and(|keys| keys.is_secret())
            || self.layer::<ForwardKeys>().is_ok_and(|keys| keys.forward_headers.is_some())
            || self.layer::<PhoenixKeys>().is_ok_and(|keys| keys.is_secret())
            || self.layer::<KafkaArgs>().is_ok_and(|keys| keys.holds_secrets())
    }

    /// The group of settings `T` with what the file sets of it.
    pub(super) fn layer<T: DeserializeOwned>(&self) -> Result<T, SettingsError> {
        // The error's own text quotes the line it is about, which may be the one with the password: keep only what is
        // wrong and where.
        toml::from_str(&self.text).map_err(|error| SettingsError::FileMalformed {
            path: self.path.clone(),
            line: error.span().map_or(1, |span| 1 + self.text.bytes().take(span.start).filter(|&b| b == b'\n').count()),
            reason: error.message().to_owned(),
        })
    }
}

fn default_path() -> Option<PathBuf> {
    Some(ProjectDirs::from("", "", "openinference-mlflow")?.config_dir().join("config.toml"))
}

fn known_keys() -> Vec<&'static str> {
    [
        serde_introspect::<GlobalArgs>(),
        serde_introspect::<DestinationArgs>(),
        serde_introspect::<ReceiveArgs>(),
        serde_introspect::<KafkaArgs>(),
        serde_introspect::<ForwardArgs>(),
        serde_introspect::<ForwardKeys>(),
        serde_introspect::<PhoenixKeys>(),
        serde_introspect::<JournalArgs>(),
        serde_introspect::<OperateArgs>(),
        serde_introspect::<LimitArgs>(),
        serde_introspect::<AccessArgs>(),
        serde_introspect::<TuningArgs>(),
        serde_introspect::<CredentialKeys>(),
    ]
    .concat()
}

fn hint(key: &str, known: &[&str]) -> String {
    let key = key.replace('-', "_").to_lowercase();
    let key = key.strip_prefix("mlflow_").unwrap_or(&key);
    let nearest = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(key, candidate), candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.75);
    match nearest {
        Some((_, candidate)) => format!("did you mean {candidate}?"),
        None => "keys are the flags of `openinference-mlflow serve --help`, with underscores".to_owned(),
    }
}
