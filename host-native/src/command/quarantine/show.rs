//! `quarantine show`: why one payload is quarantined, and its spans by name; their content only when asked for.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::outline;
use crate::quarantine::QuarantineEntry;

pub(super) fn run(item: &QuarantineEntry, content: bool) -> anyhow::Result<ExitCode> {
    if content {
        anstream::println!("{}", content_of(item)?);
        return Ok(ExitCode::SUCCESS);
    }
    let record = &item.record;
    let fields = [
        ("file", Some(item.path.display().to_string())),
        ("since", Some(humantime::format_rfc3339_seconds(item.since).to_string())),
        ("bytes", Some(item.bytes.to_string())),
        ("for", Some(record.destination.clone().unwrap_or_else(|| "mlflow".to_owned()))),
        ("experiment id", record.experiment_id.clone()),
        ("experiment", record.experiment_name.clone()),
        ("run", record.run_id.clone()),
        ("workspace", record.workspace.clone()),
        ("reason", Some(record.reason.clone())),
    ];
    for (name, value) in fields.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        anstream::println!("{name:<14}{value}");
    }
    match outline::of(&item.path).with_context(|| format!("{} cannot be read", item.path.display()))? {
        None => anstream::println!("{:<14}unreadable", "spans"),
        Some(spans) => {
            anstream::println!("{:<14}{}", "spans", spans.len());
            for span in spans {
                anstream::println!("  {} {} {}", span.trace_id, span.span_id, span.name);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The payload as OTLP/JSON, or as the JSON that it is.
fn content_of(item: &QuarantineEntry) -> anyhow::Result<String> {
    let path = item.path.display();
    let bytes = fs::read(&item.path).with_context(|| format!("{path} cannot be read"))?;
    if item.path.extension().is_some_and(|extension| extension == "json") {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    match ExportTraceServiceRequest::decode(bytes.as_slice()) {
        Ok(payload) => Ok(serde_json::to_string_pretty(&payload)?),
        Err(error) => bail!("{path} holds no OTLP: {error}"),
    }
}
