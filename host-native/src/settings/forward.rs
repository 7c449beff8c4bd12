//! Where payloads are forwarded to. Headers come from the environment or the settings file, never from a flag, and cannot
//! be printed.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::credentials::quoted_secret;
use super::{SettingsError, Sources};
use crate::cli::ForwardArgs;
use crate::forward::Endpoint;

const HEADERS: &str = "OPENINFERENCE_MLFLOW_FORWARD_HEADERS";

/// What the settings file alone says of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ForwardKeys {
    #[serde(deserialize_with = "quoted_secret")]
    pub(super) forward_headers: Option<SecretString>,
}

impl Sources {
    pub(super) fn forward(&self, flags: &ForwardArgs) -> Result<Vec<Endpoint>, SettingsError> {
        let destinations = self.layers(flags)?.pick(|args| &args.forward).unwrap_or_default();
        let in_file = self.file.layer::<ForwardKeys>()?.forward_headers;
        let headers = self.environment.get(HEADERS).map(SecretString::from).or(in_file);
        let headers = headers.as_ref().map_or("", |headers| headers.expose_secret());
        let destinations = destinations.iter().map(|destination| destination.expose_secret().trim());
        Ok(Endpoint::parse_all(destinations.filter(|destination| !destination.is_empty()), headers)?)
    }
}
