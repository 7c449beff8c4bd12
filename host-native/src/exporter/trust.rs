//! Which servers are believed to be who they say they are, and what is shown to those that ask in turn.

use std::fs;
use std::path::{Path, PathBuf};

use reqwest::{Certificate, ClientBuilder, Identity, Url};

use crate::settings::{Tls, Trust};

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It cannot be read.
    #[error("the certificate file {} cannot be read: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// It holds no certificate.
    #[error("the certificate file {} holds no certificate; expected PEM, as in -----BEGIN CERTIFICATE-----", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// It holds not both of what is needed to prove who this program is.
    #[error(
        "the file {} holds not both a certificate and its private key; expected PEM, as in -----BEGIN CERTIFICATE----- and \
         -----BEGIN PRIVATE KEY-----, not encrypted",
        path.display()
    )]
    NoIdentity {
        /// The file.
        path: PathBuf,
    },
}

/// The client, with what it trusts and what it shows, for this URL.
///
/// # Errors
/// A file cannot be used.
pub(crate) fn apply(client: ClientBuilder, url: &Url, trust: &Trust) -> Result<ClientBuilder, TrustError> {
    let Trust { verify, identity } = trust;
    if url.scheme() == "http" {
        // No authorities are needed, and a machine without any can speak plain HTTP as well as others.
        return Ok(client.tls_certs_only([]));
    }
    let client = match verify {
        Tls::System => client,
        Tls::Authorities(path) => {
            let authorities = Certificate::from_pem_bundle(&read(path)?).unwrap_or_default();
            if authorities.is_empty() {
                return Err(TrustError::NoCertificate { path: path.clone() });
            }
            client.tls_certs_only(authorities)
        }
        Tls::Unverified => client.tls_danger_accept_invalid_certs(true),
    };
    let Some(path) = identity else { return Ok(client) };
    let identity = Identity::from_pem(&read(path)?).map_err(|_| TrustError::NoIdentity { path: path.clone() })?;
    Ok(client.identity(identity))
}

fn read(path: &Path) -> Result<Vec<u8>, TrustError> {
    fs::read(path).map_err(|cause| TrustError::Unreadable { path: path.to_path_buf(), cause })
}
