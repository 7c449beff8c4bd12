//! TLS on both receivers: 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN, with or without certificates of clients.
//!
//! Guarantees: a client that does not finish its handshake in time is let go; one that speaks plain HTTP is told what is
//! wrong; certificate, key and authorities are read again when they change, and connections that stand keep what they
//! have.

mod files;

use std::io;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::reload::Reloaded;
use crate::settings::TlsFiles;

pub use files::TlsError;

/// The first byte of a TLS record that opens a connection: `handshake`, RFC 8446 section 5.1.
const HANDSHAKE: u8 = 22;
/// For whoever speaks plain HTTP.
const NOT_TLS: &str = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n\r\n\
                       this port speaks TLS; the endpoint begins with https://\n";
/// How long such a client may take to read that.
const GOODBYE: Duration = Duration::from_secs(1);
/// What it may send meanwhile, in bytes.
const GOODBYE_BYTES: u64 = 64 << 10;

/// Makes connections secure.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    config: Reloaded<ServerConfig>,
    handshake_timeout: Duration,
}

impl Tls {
    pub(super) fn start(files: &TlsFiles, handshake_timeout: Duration) -> Result<Self, TlsError> {
        let source = files.clone();
        let config = Reloaded::start("the TLS certificate", files.paths(), move || files::load(&source))?;
        Ok(Self { config, handshake_timeout })
    }

    /// Shake hands.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let accepted = async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 1 && first != [HANDSHAKE] {
                explain(stream).await;
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the client does not speak TLS"));
            }
            TlsAcceptor::from(self.config.now()).accept(stream).await
        };
        timeout(self.handshake_timeout, accepted).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Tells a plain client what is wrong, and waits until it has heard it.
async fn explain(mut stream: TcpStream) {
    let said = async {
        stream.write_all(NOT_TLS.as_bytes()).await?;
        stream.shutdown().await?;
        copy(&mut (&mut stream).take(GOODBYE_BYTES), &mut sink()).await
    };
    // Whether it listens is its own affair.
    let _ = timeout(GOODBYE, said).await;
}
