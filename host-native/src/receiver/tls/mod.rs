//! TLS 1.2 and 1.3 on both receivers, with HTTP/2 and HTTP/1.1 by ALPN, and optional client certificates.
//!
//! Guarantees: a client that does not finish its handshake in time is disconnected; one that speaks plain HTTP gets an
//! explanation; certificate, key and CA certificates are reloaded when they change, for new connections.

mod files;

use std::io;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::reload::Reloaded;
use crate::settings::TlsFiles;

pub use files::TlsError;

/// The first byte of a TLS record that opens a connection: `handshake`, RFC 8446 section 5.1.
const HANDSHAKE: u8 = 22;
/// The answer to plain HTTP.
const NOT_TLS: &str = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n\r\n\
                       this port uses TLS; use https://\n";
/// How long such a client may take to read the answer.
const GOODBYE: Duration = Duration::from_secs(1);
/// The most bytes it may send in the meantime.
const GOODBYE_BYTES: u64 = 64 << 10;

/// Accepts TLS connections.
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

    /// Performs the handshake.
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

/// Explains to a plain-HTTP client what is wrong, and waits until it has read the answer.
async fn explain(mut stream: TcpStream) {
    let said = async {
        stream.write_all(NOT_TLS.as_bytes()).await?;
        stream.shutdown().await?;
        copy(&mut (&mut stream).take(GOODBYE_BYTES), &mut sink()).await
    };
    // The client may not read it.
    let _ = timeout(GOODBYE, said).await;
}
