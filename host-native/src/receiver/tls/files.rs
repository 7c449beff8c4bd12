//! Loads the certificate, its key and CA certificates from PEM files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::settings::TlsFiles;

const CERT: &str = "--tls-cert";
const KEY: &str = "--tls-key";
const CLIENT_CA: &str = "--tls-client-ca";

/// The TLS files cannot be used. No variant contains any part of a key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("failed to read {}: {source}\nhint: check {flag}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The flag that names it.
        flag: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A file is not PEM.
    #[error("{} is not valid PEM; expected text with -----BEGIN …----- and -----END …----- lines\nhint: check {flag}", path.display())]
    NoPem {
        /// The file.
        path: PathBuf,
        /// The flag that names it.
        flag: &'static str,
    },
    /// A file contains no certificate.
    #[error(
        "{} contains no certificate; expected PEM with -----BEGIN CERTIFICATE-----, the server's certificate first and \
         then its chain\nhint: check {flag}", path.display()
    )]
    NoCertificate {
        /// The file.
        path: PathBuf,
        /// The flag that names it.
        flag: &'static str,
    },
    /// A file contains no private key.
    #[error(
        "{} contains no private key; expected PEM with -----BEGIN PRIVATE KEY----- (or RSA or EC PRIVATE KEY)\n\
         hint: check {KEY}", path.display()
    )]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The private key is encrypted.
    #[error(
        "the private key in {path} is encrypted, which is not supported\n\
         hint: run openssl pkey -in {path} -out key.pem, protect that file, and pass it with {KEY}", path = path.display()
    )]
    EncryptedKey {
        /// The file.
        path: PathBuf,
    },
    /// The private key does not match the certificate.
    #[error("the private key in {} does not match the certificate in {}\nhint: check {CERT} and {KEY}", key.display(), cert.display())]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// rustls rejects a file.
    #[error("failed to use {} for TLS: {source}\nhint: check {flag}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The flag that names it.
        flag: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Read the files.
pub(super) fn load(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&files.cert, CERT)?;
    warn_of_validity(&files.cert, chain.first());
    let key = private_key(&files.key)?;
    let provider = Arc::new(ring::default_provider());
    let unusable = |path: &Path, flag| {
        let path = path.to_path_buf();
        move |source: rustls::Error| TlsError::Unusable { path, flag, source: source.into() }
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(unusable(&files.cert, CERT))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut authorities = RootCertStore::empty();
            for authority in certificates(path, CLIENT_CA)? {
                authorities.add(authority).map_err(unusable(path, CLIENT_CA))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|source| TlsError::Unusable {
                path: path.clone(),
                flag: CLIENT_CA,
                source: source.into(),
            })?)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => TlsError::Mismatch { cert: files.cert.clone(), key: files.key.clone() },
        source => unusable(&files.cert, CERT)(source),
    })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path, flag: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match found {
        Ok(found) if found.is_empty() => Err(TlsError::NoCertificate { path: path.to_path_buf(), flag }),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(error, path, flag)),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        pem::Error::NoItemsFound if is_encrypted(path) => TlsError::EncryptedKey { path: path.to_path_buf() },
        pem::Error::NoItemsFound => TlsError::NoKey { path: path.to_path_buf() },
        error => unreadable(error, path, KEY),
    })
}

fn unreadable(error: pem::Error, path: &Path, flag: &'static str) -> TlsError {
    let path = path.to_path_buf();
    match error {
        pem::Error::Io(source) => TlsError::Unreadable { path, flag, source },
        _ => TlsError::NoPem { path, flag },
    }
}

fn is_encrypted(path: &Path) -> bool {
    std::fs::read_to_string(path).is_ok_and(|text| text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----"))
}

/// Warns about a certificate that is expired or not yet valid. Ignores one that cannot be parsed.
fn warn_of_validity(path: &Path, certificate: Option<&CertificateDer<'_>>) {
    let Some(Ok(certificate)) = certificate.map(|der| Certificate::from_der(der)) else { return };
    let validity = certificate.tbs_certificate.validity;
    let Ok(now) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) else { return };
    if validity.not_after.to_unix_duration() < now {
        tracing::warn!(
            "the certificate in {} expired on {}; clients will refuse it",
            path.display(),
            validity.not_after
        );
    } else if validity.not_before.to_unix_duration() > now {
        tracing::warn!(
            "the certificate in {} is not valid before {}; clients will refuse it until then",
            path.display(),
            validity.not_before
        );
    }
}
