//! TLS trust of outgoing connections: the CA certificates to verify a server with, and the client certificate to present.

use std::fs;
use std::path::{Path, PathBuf};

use reqwest::{Certificate, ClientBuilder, Identity, Url};

use crate::settings::{Tls, Trust};

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It cannot be read.
    #[error("failed to read the certificate file {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// It contains no certificate.
    #[error("the certificate file {} contains no certificate; expected PEM, as in -----BEGIN CERTIFICATE-----", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// It does not contain both a certificate and its private key.
    #[error(
        "the file {} does not contain both a certificate and its private key; expected unencrypted PEM, as in \
         -----BEGIN CERTIFICATE----- and -----BEGIN PRIVATE KEY-----",
        path.display()
    )]
    NoIdentity {
        /// The file.
        path: PathBuf,
    },
}

/// Applies the trust settings for this URL.
///
/// # Errors
/// A file cannot be used.
pub(crate) fn apply(client: ClientBuilder, url: &Url, trust: &Trust) -> Result<ClientBuilder, TrustError> {
    let Trust { verify, identity } = trust;
    if url.scheme() == "http" {
        // Plain HTTP needs no CA certificates, and the machine may have none.
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
