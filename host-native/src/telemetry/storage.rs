//! The figures of what is on disk: what the journal holds, and may hold, what waits in it to be set aside, and what was.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::journal::Journal;
use crate::quarantine::SetAsideFolder;

/// What is on disk, once that is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Storage(Arc<OnceLock<(SetAsideFolder, Option<Journal>)>>);

impl Storage {
    pub(super) fn show(&self, set_aside: SetAsideFolder, journal: Option<Journal>) {
        // There is one of each in a program.
        let _ = self.0.set((set_aside, journal));
    }
}

impl Collector for Storage {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Some((set_aside, journal)) = self.0.get() else { return Ok(()) };
        let help = "Spans and payloads that were set aside, by whomever they were refused";
        let counter = encoder.encode_descriptor("quarantined", help, None, MetricType::Counter)?;
        ConstCounter::new(set_aside.kept()).encode(counter)?;
        let Some(journal) = journal else { return Ok(()) };
        let held_back = u64::try_from(journal.held_back()).unwrap_or(u64::MAX);
        for (name, help, unit, value) in [
            ("journal", "What the journal holds", Some(&Unit::Bytes), journal.bytes()),
            ("journal_max", "What the journal may hold", Some(&Unit::Bytes), journal.limits().max_bytes),
            ("held_back_payloads", "Payloads that wait in the journal until they can be set aside", None, held_back),
        ] {
            let gauge = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
            ConstGauge::new(value as f64).encode(gauge)?;
        }
        Ok(())
    }
}
