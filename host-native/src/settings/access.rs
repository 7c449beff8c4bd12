//! Who may connect to the receivers, and how.
//!
//! Guarantee: without `--allow-unauthenticated`, the gateway listens on loopback only or authenticates its senders.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::{Layers, Receive, SettingsError};
use crate::cli::AccessArgs;

/// Who may connect to the receivers, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// TLS; none: plain HTTP.
    pub tls: Option<TlsFiles>,
    /// The senders' hashed credentials; none: nobody is asked.
    pub auth_file: Option<PathBuf>,
}

/// PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, then those that vouch for it.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authorities of which every client needs a certificate; none: clients need none.
    pub client_ca: Option<PathBuf>,
}

impl TlsFiles {
    /// Every file.
    pub fn paths(&self) -> Vec<PathBuf> {
        [Some(&self.cert), Some(&self.key), self.client_ca.as_ref()].into_iter().flatten().cloned().collect()
    }
}

impl Access {
    pub(super) fn resolve(layers: &Layers<AccessArgs>, receive: &Receive) -> Result<Self, SettingsError> {
        let client_ca = layers.pick(|args| &args.tls_client_ca);
        let tls = match (layers.pick(|args| &args.tls_cert), layers.pick(|args| &args.tls_key)) {
            (Some(cert), Some(key)) => Some(TlsFiles { cert, key, client_ca }),
            (Some(_), None) => return Err(SettingsError::HalfTls { found: "--tls-cert", missing: "--tls-key" }),
            (None, Some(_)) => return Err(SettingsError::HalfTls { found: "--tls-key", missing: "--tls-cert" }),
            (None, None) if client_ca.is_some() => {
                return Err(SettingsError::HalfTls {
                    found: "--tls-client-ca",
                    missing: "the server's own --tls-cert and --tls-key",
                });
            }
            (None, None) => None,
        };
        let access = Self { tls, auth_file: layers.pick(|args| &args.auth_file) };
        let allowed = layers.pick(|args| &args.allow_unauthenticated).unwrap_or(false);
        let exposed = [(receive.grpc_listen, "--grpc-listen"), (receive.http_listen, "--http-listen")];
        match exposed.into_iter().find(|(address, _)| !is_loopback(address)) {
            Some((address, flag)) if receive.listen && !allowed && !access.asks() => {
                Err(SettingsError::Exposed { address, flag })
            }
            _ => Ok(access),
        }
    }

    /// Whether senders have to prove who they are.
    pub fn asks(&self) -> bool {
        self.auth_file.is_some() || self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some())
    }
}

fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}
