//! The metrics of the journal and the quarantine.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::journal::Journal;
use crate::quarantine::Quarantine;

/// The journal and the quarantine, once they are open.
#[derive(Debug, Clone, Default)]
pub(super) struct Storage(Arc<OnceLock<(Quarantine, Option<Journal>)>>);

impl Storage {
    pub(super) fn show(&self, quarantine: Quarantine, journal: Option<Journal>) {
        // A program has one of each.
        let _ = self.0.set((quarantine, journal));
    }
}

impl Collector for Storage {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some((quarantine, journal)) = self.0.get() else { return Ok(()) };
        let help = "Entries added to the quarantine, for all destinations";
        let counter = encoder.encode_descriptor("quarantine_entries", help, None, MetricType::Counter)?;
        ConstCounter::new(quarantine.kept()).encode(counter)?;
        let Some(journal) = journal else { return Ok(()) };
        let pending_quarantine = u64::try_from(journal.pending_quarantine()).unwrap_or(u64::MAX);
        for (name, help, unit, value) in [
            ("journal", "Size of the records in the journal", Some(&Unit::Bytes), journal.bytes()),
            ("journal_max", "Size limit of the journal", Some(&Unit::Bytes), journal.limits().max_bytes),
            (
                "pending_quarantine_payloads",
                "Payloads in the journal that wait for space in the quarantine",
                None,
                pending_quarantine,
            ),
        ] {
            let gauge = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
            ConstGauge::new(value as f64).encode(gauge)?;
        }
        Ok(())
    }
}
