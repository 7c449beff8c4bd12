//! The host's own spans, for whoever wants to see where its time goes; none unless an endpoint is named.
//!
//! | span | parent | what it covers |
//! |---|---|---|
//! | `receive` | none | an export request, from its head to its answer; `transport` |
//! | `ingest` | `receive` | until its payload is taken or refused |
//! | `request` | none, because it carries the spans of many senders | a request to a destination; `destination`, `method`, `status` |
//!
//! Guarantees: no attribute comes from a payload, a header or a credential; log lines do not become events of these
//! spans; without an endpoint a span costs a comparison.

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};
use reqwest::Url;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{Filtered, LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

/// Names the spans that are meant, among all that libraries make.
pub const TARGET: &str = "openinference_mlflow::self_trace";

const SERVICE: &str = "openinference-mlflow";
/// For one export.
const TIMEOUT: Duration = Duration::from_secs(10);
/// For what is left when the program ends.
const END: Duration = Duration::from_secs(2);

/// Exports spans for as long as it lives, and what is left at its end. To be made and dropped outside a runtime.
#[derive(Debug)]
pub struct SelfTrace(SdkTracerProvider);

/// Spans cannot be exported.
#[derive(Debug, thiserror::Error)]
#[error("this program's own spans cannot be exported to --self-trace-endpoint: {0}")]
pub struct SelfTraceError(String);

// === impl SelfTrace ===

impl SelfTrace {
    /// Export to this OTLP/HTTP endpoint, whose path is not yet `/v1/traces`. Headers come from
    /// `OTEL_EXPORTER_OTLP_HEADERS`, as the OpenTelemetry specification has it.
    ///
    /// # Errors
    /// No client can be made.
    pub fn start(endpoint: &Url) -> Result<Self, SelfTraceError> {
        let failed = |error: &dyn std::error::Error| SelfTraceError(error.to_string());
        // Fails when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::blocking::Client::builder().timeout(TIMEOUT);
        // No authorities are needed for plain HTTP, and a container may have none.
        let client = if endpoint.scheme() == "http" { client.tls_certs_only([]) } else { client };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client.build().map_err(|error| failed(&error))?)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/')))
            .build()
            .map_err(|error| failed(&error))?;
        let resource = Resource::builder().with_service_name(SERVICE).build();
        Ok(Self(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build()))
    }

    /// What makes spans of `tracing`'s, of this target alone.
    pub fn layer<S>(&self) -> Filtered<OpenTelemetryLayer<S, Tracer>, Targets, S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let layer = tracing_opentelemetry::layer().with_tracer(self.0.tracer(SERVICE));
        layer.with_filter(Targets::new().with_target(TARGET, LevelFilter::TRACE))
    }
}

impl Drop for SelfTrace {
    fn drop(&mut self) {
        // Whoever does not take them in time does not get them.
        let _ = self.0.shutdown_with_timeout(END);
    }
}
