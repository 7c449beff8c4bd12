//! How to authenticate with MLflow. Credentials come from the environment, the settings file, a token file or the
//! tracking URI itself, never from a flag, and cannot be printed.
//!
//! As in MLflow's own client, user name and password win over a token that is set in the same place.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::environment::Environment;
use super::{Layers, SettingsError};

/// How requests to MLflow authenticate.
#[derive(Debug, Clone, Default)]
pub enum Credentials {
    /// They do not.
    #[default]
    None,
    /// `Authorization: Basic`.
    Basic {
        /// The user's name.
        username: String,
        /// The user's password.
        password: SecretString,
    },
    /// `Authorization: Bearer`.
    Bearer(SecretString),
    /// The same with the content of a file, which may change.
    TokenFile(PathBuf),
}

/// The credentials that one layer of settings names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct CredentialKeys {
    username: Option<String>,
    #[serde(deserialize_with = "quoted_secret")]
    password: Option<SecretString>,
    #[serde(deserialize_with = "quoted_secret")]
    token: Option<SecretString>,
    /// Where the token is from.
    #[serde(skip)]
    token_file: Option<PathBuf>,
}

/// A secret that is no text, such as a number without quotes, is refused without showing it.
pub(super) fn quoted_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => Ok(Some(SecretString::from(text))),
        _ => Err(D::Error::custom("a secret must be text in quotes")),
    }
}

impl CredentialKeys {
    pub(super) fn of_environment(environment: &Environment) -> Self {
        Self {
            username: environment.get("MLFLOW_TRACKING_USERNAME").map(str::to_owned),
            password: environment.get("MLFLOW_TRACKING_PASSWORD").map(SecretString::from),
            token: environment.get("MLFLOW_TRACKING_TOKEN").map(SecretString::from),
            token_file: None,
        }
    }

    pub(super) fn is_secret(&self) -> bool {
        self.password.is_some() || self.token.is_some()
    }

    /// The same with the token that the layer's token file holds, where the layer names one and no token.
    pub(super) fn with_token_file(mut self, file: Option<&Path>) -> Result<Self, SettingsError> {
        if let (None, Some(path)) = (&self.token, file) {
            let text = std::fs::read_to_string(path)
                .map_err(|source| SettingsError::TokenFile { path: path.to_path_buf(), source })?;
            self.token = Some(SecretString::from(text.trim()));
            self.token_file = Some(path.to_path_buf());
        }
        Ok(self)
    }
}

impl Layers<CredentialKeys> {
    /// The credentials that win; `in_uri` are those of the tracking URI, the last resort.
    pub(super) fn resolve(&self, in_uri: Option<Credentials>) -> Result<Credentials, SettingsError> {
        let username = self.pick(|keys| &keys.username).filter(|name| !name.is_empty());
        let password = self.pick(|keys| &keys.password).filter(|password| !password.expose_secret().is_empty());
        let token = self.pick(|keys| &keys.token).filter(|token| !token.expose_secret().is_empty());
        let basic_rank = self.rank(|keys| keys.username.is_some() || keys.password.is_some());
        let token_rank = self.rank(|keys| keys.token.is_some());
        let token_file = self.pick(|keys| &keys.token_file);
        let is_from_file = self.rank(|keys| keys.token_file.is_some()) == token_rank;
        match (username, password, token) {
            (Some(username), Some(password), token) if token.is_none() || basic_rank <= token_rank => {
                Ok(Credentials::Basic { username, password })
            }
            (_, _, Some(token)) => {
                Ok(token_file.filter(|_| is_from_file).map_or(Credentials::Bearer(token), Credentials::TokenFile))
            }
            (None, None, None) => Ok(in_uri.unwrap_or_default()),
            (username, ..) => Err(SettingsError::HalfCredentials {
                found: if username.is_some() { "a user name" } else { "a password" },
                missing: if username.is_some() { "MLFLOW_TRACKING_PASSWORD" } else { "MLFLOW_TRACKING_USERNAME" },
            }),
        }
    }
}
