//! Where payloads are forwarded to. Headers come from the environment or the settings file, never from a flag, and cannot
//! be printed.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::credentials::quoted_secret;
use super::{ForwardEndpoint, SettingsError, Sources, Tls, Trust};
use crate::cli::ForwardArgs;

const HEADERS: &str = "OPENINFERENCE_MLFLOW_FORWARD_HEADERS";

/// What the settings file alone says of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ForwardKeys {
    #[serde(deserialize_with = "quoted_secret")]
    pub(super) forward_headers: Option<SecretString>,
}

impl Sources {
    /// Who gets what is received beside MLflow.
    ///
    /// # Errors
    /// What is wrong with which setting, and what would be right.
    pub fn forward(&self, flags: &ForwardArgs) -> Result<Vec<ForwardEndpoint>, SettingsError> {
        let layers = self.layers(flags)?;
        let destinations = layers.pick(|args| &args.forward).unwrap_or_default();
        let in_file = self.file.layer::<ForwardKeys>()?.forward_headers;
        let headers = self.environment.get(HEADERS).map(SecretString::from).or(in_file);
        let headers = headers.as_ref().map_or("", |headers| headers.expose_secret());
        let destinations = destinations.iter().map(|destination| destination.expose_secret().trim());
        let mut endpoints =
            ForwardEndpoint::parse_all(destinations.filter(|destination| !destination.is_empty()), headers)?;
        let trust = Trust {
            verify: layers.pick(|args| &args.forward_cert).map_or(Tls::System, Tls::Authorities),
            identity: layers.pick(|args| &args.forward_client_cert),
        };
        endpoints.iter_mut().for_each(|endpoint| endpoint.trust = trust.clone());
        Ok(endpoints)
    }
}
