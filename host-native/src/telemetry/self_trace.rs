//! The gateway's own spans, which show where its time goes. Disabled unless an endpoint is set.
//!
//! | span | parent | what it covers |
//! |---|---|---|
//! | `receive` | none | an export request, from its head to its answer; attribute `transport` |
//! | `ingest` | `receive` | until the payload is accepted or refused |
//! | `request` | none, because it contains spans of many senders | a request to a destination; `destination`, `method`, `status` |
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

/// The target of these spans.
pub const TARGET: &str = "openinference_mlflow::self_trace";

const SERVICE: &str = "openinference-mlflow";
/// The timeout of one export.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The timeout of the last export, at the end of the program.
const END: Duration = Duration::from_secs(2);

/// Exports spans until it is dropped. Create and drop it outside of a runtime.
#[derive(Debug)]
pub struct SelfTrace(SdkTracerProvider);

/// Spans cannot be exported.
#[derive(Debug, thiserror::Error)]
#[error("failed to export the gateway's own spans to --self-trace-endpoint: {0}")]
pub struct SelfTraceError(String);

// === impl SelfTrace ===

impl SelfTrace {
    /// Exports to the base URL of an OTLP/HTTP endpoint. Headers come from `OTEL_EXPORTER_OTLP_HEADERS`.
    ///
    /// # Errors
    /// The client cannot be built.
    pub fn start(endpoint: &Url) -> Result<Self, SelfTraceError> {
        let failed = |error: &dyn std::error::Error| SelfTraceError(error.to_string());
        // An error means that a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::blocking::Client::builder().timeout(TIMEOUT);
        // Plain HTTP needs no CA certificates, and a container may have none.
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

    /// The layer that exports spans of [`TARGET`], and no others.
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
        // Spans that are not exported in time are lost.
        let _ = self.0.shutdown_with_timeout(END);
    }
}
