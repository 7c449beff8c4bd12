//! A gRPC client that sends bytes, whatever they are.

use bytes::{Buf, BufMut, Bytes};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
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
    let response = client.unary(request, PathAndQuery::from_static(method), Raw).await?;
    Ok(response.into_inner())
}

/// Exports a payload.
pub(crate) async fn export(server: &str, payload: &[u8]) -> Result<ExportTraceServiceResponse, Status> {
    let request = Request::new(Bytes::copy_from_slice(payload));
    let answer = call(server, EXPORT, request, None).await?;
    Ok(ExportTraceServiceResponse::decode(answer).unwrap())
}

#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
