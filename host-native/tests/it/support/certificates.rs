//! Certificates of authorities of the test's own, and clients that trust them.

use std::path::{Path, PathBuf};

use openinference_mlflow::settings::TlsFiles;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reqwest::{Certificate, Client, Identity};

/// An authority.
pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its private key, PEM.
pub(crate) struct Certified {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for 127.0.0.1.
    pub(crate) fn certify(&self) -> Certified {
        self.certify_until(2090)
    }

    /// The same, valid until the beginning of the year.
    pub(crate) fn certify_until(&self, year: i32) -> Certified {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Certified { certificate, key: key.serialize_pem() }
    }

    /// A client that trusts this authority alone.
    pub(crate) fn client(&self, identity: Option<&Certified>) -> Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let trusted = Certificate::from_pem(self.pem.as_bytes()).unwrap();
        let mut client = Client::builder().tls_certs_only([trusted]);
        if let Some(Certified { certificate, key }) = identity {
            client = client.identity(Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap());
        }
        client.build().unwrap()
    }
}

impl Certified {
    /// Write both into the folder.
    pub(crate) fn write(&self, folder: &Path) -> TlsFiles {
        let (cert, key) = (folder.join("server.pem"), folder.join("server.key"));
        write(&cert, &self.certificate);
        write(&key, &self.key);
        TlsFiles { cert, key, client_ca: None }
    }
}

/// Write a file into the folder.
pub(crate) fn write_in(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    write(&path, text);
    path
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
