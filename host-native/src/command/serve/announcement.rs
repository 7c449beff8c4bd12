//! What a person reads when `serve` starts: where it listens, where it delivers, how to point an application at it.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::Service;
use crate::cli::LogFormat;
use crate::settings::{Delivery, Destination, Experiment, Kafka, Settings, UnityCatalog};

/// Says it: to people in lines, to machines as one record.
pub(super) fn announce(service: &Service, settings: &Settings, log_format: LogFormat) {
    let destination = destination(&settings.delivery, settings.data_dir.join("traces"));
    let admin = service.admin_address().map_or("nowhere".to_owned(), |address| format!("http://{address}/metrics"));
    let addresses = service.addresses();
    let (grpc, http) = addresses.unzip();
    let kafka = settings
        .kafka
        .as_ref()
        .map(|Kafka { topic, group, brokers, .. }| format!("topic {topic} at {brokers}, group {group}"));
    match log_format {
        LogFormat::Json => tracing::info!(
            grpc = grpc.map(tracing::field::display),
            http = http.map(tracing::field::display),
            kafka,
            admin,
            destination,
            forward = ?settings.forward,
            "serving"
        ),
        LogFormat::Human => {
            let scheme = if settings.access.tls.is_some() { "https" } else { "http" };
            let mut lines = vec![format!("openinference-mlflow {}", env!("CARGO_PKG_VERSION"))];
            if let Some((grpc, http)) = addresses {
                lines.push(format!("  receives   OTLP/gRPC at {grpc}, OTLP/HTTP at {scheme}://{http}/v1/traces"));
            }
            lines.extend(kafka.map(|kafka| format!("  reads      {kafka}")));
            lines.push(format!("  delivers   to {destination}"));
            lines.extend(settings.forward.iter().map(|to| format!("  forwards   to {to}")));
            lines.push(format!("  metrics    at {admin}"));
            if let Some(http) = http {
                lines.push(format!(
                    "  To send an application's traces here, start it with\n    \
                     OTEL_EXPORTER_OTLP_ENDPOINT={scheme}://{} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
                    reachable(http)
                ));
            }
            eprintln!("{}", lines.join("\n"));
        }
    }
}

/// Says it when senders' credentials can be read on their way.
pub(super) fn warn_of_bare_credentials(settings: &Settings) {
    let Settings { receive, access, .. } = settings;
    let addresses = [receive.grpc_listen, receive.http_listen];
    let exposed = receive.listen && addresses.iter().any(|address| !address.ip().is_loopback());
    if exposed && access.auth_file.is_some() && access.tls.is_none() {
        tracing::warn!(
            "senders' credentials cross the network in the clear; set --tls-cert and --tls-key, unless a proxy in front of \
             this program speaks TLS"
        );
    }
}

/// Says it when a setting names an experiment, and the location in Unity Catalog decides.
pub(super) fn warn_of_unused_experiment(delivery: &Delivery) {
    let named = delivery.experiment.is_some() || delivery.run_id.is_some() || delivery.workspace.is_some();
    if let Destination::UnityCatalog(UnityCatalog { location, .. }) = &delivery.destination
        && named
    {
        tracing::warn!(
            "experiment, run and workspace are not used: in a Databricks workspace the traces belong to the experiment that \
             {location} is linked to"
        );
    }
}

fn destination(delivery: &Delivery, folder: PathBuf) -> String {
    let experiment = match &delivery.experiment {
        Some(Experiment::Id(id)) => format!(", experiment {id}"),
        Some(Experiment::Name(name)) => format!(", experiment {name:?}"),
        None => String::new(),
    };
    match &delivery.destination {
        Destination::Server(server) => format!("{}{experiment}", server.uri),
        Destination::UnityCatalog(catalog) => format!("{}, Unity Catalog {}", catalog.workspace.uri, catalog.location),
        Destination::Local => {
            format!("{} (no tracking URI is set; --tracking-uri sends to MLflow)", folder.display())
        }
    }
}

/// An address that a client can use: the wildcard address becomes loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => std::net::Ipv6Addr::LOCALHOST.into(),
        address => address.ip(),
    };
    SocketAddr::new(ip, address.port())
}
