//! The metrics of received requests and their answers.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

/// The transport of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// OTLP/gRPC.
    Grpc,
    /// OTLP/HTTP.
    Http,
    /// A message on a Kafka topic.
    Kafka,
}

/// Received requests and their answers.
#[derive(Debug, Clone, Default)]
pub struct Received {
    payloads: Family<ByTransport, Counter>,
    bytes: Family<ByTransport, Counter>,
    acknowledged_payloads: Family<ByTransport, Counter>,
    acknowledged_spans: Family<ByTransport, Counter>,
    refused: Family<ByReason, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByTransport {
    transport: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    transport: &'static str,
    reason: &'static str,
}

// === impl Received ===

impl Received {
    /// A complete payload arrived. `bytes` is its size after decompression.
    pub fn arrived(&self, transport: Transport, bytes: usize) {
        self.payloads.get_or_create(&transport.into()).inc();
        self.bytes.get_or_create(&transport.into()).inc_by(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// A payload with this many spans was acknowledged.
    pub fn acknowledged(&self, transport: Transport, spans: u32) {
        self.acknowledged_payloads.get_or_create(&transport.into()).inc();
        self.acknowledged_spans.get_or_create(&transport.into()).inc_by(spans.into());
    }

    /// A request was refused. The reason is one of a fixed list.
    pub fn refused(&self, transport: Transport, reason: &'static str) {
        self.refused.get_or_create(&ByReason { transport: transport.name(), reason }).inc();
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("received_payloads", "Export requests that arrived completely", self.payloads.clone());
        registry.register_with_unit(
            "received",
            "Bytes of those export requests, after decompression",
            Unit::Bytes,
            self.bytes.clone(),
        );
        registry.register(
            "acknowledged_payloads",
            "Export requests that were acknowledged",
            self.acknowledged_payloads.clone(),
        );
        registry.register("acknowledged_spans", "Spans in acknowledged requests", self.acknowledged_spans.clone());
        registry.register("refused_payloads", "Export requests that were refused, by reason", self.refused.clone());
    }
}

// === impl Transport ===

impl Transport {
    fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
            Self::Kafka => "kafka",
        }
    }
}

impl From<Transport> for ByTransport {
    fn from(transport: Transport) -> Self {
        Self { transport: transport.name() }
    }
}
