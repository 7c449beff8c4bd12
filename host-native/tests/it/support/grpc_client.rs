//! A gRPC client that sends bytes, whatever they are.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use openinference_mlflow::receiver::RawCodec;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tonic::client::Grpc;
use tonic::codec::CompressionEncoding;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Request, Status};

pub(crate) const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Calls a unary method with these bytes as its message.
pub(crate) async fn call(
    server: &str,
    method: &'static str,
    request: Request<Bytes>,
    compression: Option<CompressionEncoding>,
) -> Result<Bytes, Status> {
    let transport: Client<HttpConnector, tonic::body::Body> =
        Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let mut client = Grpc::with_origin(transport, server.parse().unwrap());
    if let Some(compression) = compression {
        client = client.send_compressed(compression);
    }
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let response = client.unary(request, PathAndQuery::from_static(method), RawCodec).await?;
    Ok(response.into_inner())
}

/// Exports a payload.
pub(crate) async fn export(server: &str, payload: &[u8]) -> Result<ExportTraceServiceResponse, Status> {
    let request = Request::new(Bytes::copy_from_slice(payload));
    let answer = call(server, EXPORT, request, None).await?;
    Ok(ExportTraceServiceResponse::decode(answer).unwrap())
}

/// Sends raw gRPC frames and reads the status from the headers or trailers of the answer.
pub(crate) async fn send_frame(server: &str, headers: &[(&str, &str)], frame: Vec<u8>) -> Status {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let mut request = http::Request::post(format!("{server}{EXPORT}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = client.request(request.body(Full::from(frame)).unwrap()).await.unwrap();
    if let Some(status) = Status::from_header_map(answer.headers()) {
        return status;
    }
    let body = answer.into_body().collect().await.unwrap();
    Status::from_header_map(body.trailers().unwrap()).unwrap()
}
