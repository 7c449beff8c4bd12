//! An MLflow server that answers what the bridge asks, or whatever the test scripts.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use openinference_mlflow::settings::{Credentials, Server, Tls, TrackingUri, Trust};
use serde_json::json;
use tokio::net::TcpListener;

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What the server does with a request.
pub(crate) enum Reply {
    /// What a healthy MLflow would say.
    Healthy,
    /// This, instead.
    Say(Response<Body>),
    /// Nothing, ever.
    Hang,
}

type Script = dyn FnMut(&Seen) -> Reply + Send;

/// A server on loopback; it ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Mlflow {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Mutex<Box<Script>>>,
}

/// An answer with a status and a text.
pub(crate) fn say(status: u16, body: impl Into<Body>) -> Reply {
    Reply::Say(Response::builder().status(status).body(body.into()).unwrap())
}

impl Mlflow {
    /// A healthy server.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mlflow = Self::at(listener.local_addr().unwrap());
        mlflow.serve(listener);
        mlflow
    }

    /// Answers from now on.
    pub(crate) fn serve(&self, listener: TcpListener) {
        let routes = self.routes();
        tokio::spawn(async move { axum::serve(listener, routes).await });
    }

    /// A server that is down.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { address, seen: Arc::default(), script: Arc::new(Mutex::new(Box::new(|_: &Seen| Reply::Healthy))) }
    }

    /// From now on, answer so.
    pub(crate) fn script(&self, script: impl FnMut(&Seen) -> Reply + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// All requests until now.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The payloads that were accepted for storage until now.
    pub(crate) fn exports(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.path == "/v1/traces").collect()
    }

    /// Settings that reach it.
    pub(crate) fn settings(&self, credentials: Credentials) -> Server {
        let (uri, _) = TrackingUri::parse(&format!("http://{}", self.address)).unwrap();
        Server { uri, credentials, trust: Trust::default() }
    }

    fn routes(&self) -> Router {
        let mlflow = self.clone();
        Router::new().fallback(move |request: Request<Body>| {
            let mlflow = mlflow.clone();
            async move { mlflow.answer(request).await }
        })
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let seen = Seen { method: head.method, path: head.uri.to_string(), headers: head.headers, body };
        let reply = (self.script.lock().unwrap())(&seen);
        let answer = match reply {
            Reply::Healthy => healthy(&seen),
            Reply::Say(answer) => answer,
            Reply::Hang => {
                self.seen.lock().unwrap().push(seen);
                return std::future::pending().await;
            }
        };
        self.seen.lock().unwrap().push(seen);
        answer
    }
}

/// What MLflow 3.17 answers, as far as the bridge reads it.
fn healthy(seen: &Seen) -> Response<Body> {
    let path = seen.path.split('?').next().unwrap();
    let body = match path {
        "/version" => "3.17.2".to_owned(),
        "/api/2.0/mlflow/experiments/get" | "/api/2.0/mlflow/experiments/get-by-name" => {
            json!({"experiment": {"experiment_id": "0", "lifecycle_stage": "active"}}).to_string()
        }
        "/api/2.0/mlflow/experiments/create" => json!({"experiment_id": "1"}).to_string(),
        _ => "{}".to_owned(),
    };
    let kind = if path == "/version" { "text/plain" } else { "application/json" };
    Response::builder().status(StatusCode::OK).header("content-type", kind).body(body.into()).unwrap()
}

/// The same over TLS, with a certificate that only its own authority vouches for.
pub(crate) struct TlsMlflow {
    pub(crate) mlflow: Mlflow,
    /// The authority's certificate, PEM.
    pub(crate) authority: String,
}

impl TlsMlflow {
    pub(crate) async fn start() -> Self {
        use tokio_rustls::TlsAcceptor;
        use tokio_rustls::rustls::ServerConfig;
        use tokio_rustls::rustls::pki_types::PrivateKeyDer;

        let _ = rustls::crypto::ring::default_provider().install_default();
        let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let certificates = vec![certified.cert.der().clone()];
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let mlflow = Mlflow::at(listener.local_addr().unwrap());
        let routes = mlflow.routes();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, routes) = (acceptor.clone(), routes.clone());
                tokio::spawn(async move {
                    // A client that does not trust the certificate hangs up here.
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let io = hyper_util::rt::TokioIo::new(stream);
                    let service = hyper_util::service::TowerToHyperService::new(routes);
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
                });
            }
        });
        Self { mlflow, authority: certified.cert.pem() }
    }

    /// Settings that reach it.
    pub(crate) fn settings(&self, tls: Tls) -> Server {
        let (uri, _) = TrackingUri::parse(&format!("https://{}", self.mlflow.address)).unwrap();
        Server { uri, credentials: Credentials::None, trust: tls.into() }
    }
}
