//! The metrics of the queues. Computed when they are scraped, because an age grows continuously.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::driver::Waiting;

/// The queues, by destination.
#[derive(Clone, Default)]
pub(super) struct Queues(Arc<Mutex<Vec<(String, Look)>>>);

/// Returns the current amount.
type Look = Box<dyn Fn() -> Waiting + Send + Sync>;

impl Queues {
    pub(super) fn add(&self, destination: &str, waiting: impl Fn() -> Waiting + Send + Sync + 'static) {
        let mut queues = self.0.lock();
        queues.push((destination.to_owned(), Box::new(waiting)));
    }

    fn now(&self) -> Vec<(String, Waiting)> {
        let queues = self.0.lock();
        queues.iter().map(|(destination, waiting)| (destination.clone(), waiting())).collect()
    }
}

impl fmt::Debug for Queues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.now()).finish()
    }
}

impl Collector for Queues {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let waiting = self.now();
        let mut gauge = |name, help, unit: Option<&Unit>, value: fn(&Waiting) -> f64| {
            let mut gauges = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
            waiting.iter().try_for_each(|(destination, waiting)| {
                ConstGauge::new(value(waiting)).encode(gauges.encode_family(&[("destination", destination.as_str())])?)
            })
        };
        let payloads = "Accepted payloads that are not fully delivered to the destination";
        gauge("queue_payloads", payloads, None, |waiting| waiting.payloads as f64)?;
        gauge("queue", "Bytes of those payloads", Some(&Unit::Bytes), |waiting| waiting.bytes as f64)?;
        let age = "Age of the oldest of those payloads; 0 without any";
        gauge("queue_oldest_age", age, Some(&Unit::Seconds), |waiting| {
            let age = waiting.oldest.map(|oldest| SystemTime::now().duration_since(oldest).unwrap_or_default());
            age.unwrap_or_default().as_secs_f64()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::driver::{Queue, Waiting};
    use crate::telemetry::Metrics;

    #[test]
    fn given_a_backlog_then_its_bytes_and_the_age_of_its_oldest_payload_are_shown() {
        let metrics = Metrics::default();
        let queue = Queue::default();
        metrics.watch("mlflow", {
            let queue = queue.clone();
            move || queue.now()
        });
        let oldest = Some(std::time::SystemTime::now() - Duration::from_secs(90));
        queue.set(Waiting { payloads: 2, bytes: 300, oldest });
        let text = metrics.text().unwrap();
        assert!(text.contains("openinference_mlflow_queue_payloads{destination=\"mlflow\"} 2.0\n"), "{text}");
        assert!(text.contains("openinference_mlflow_queue_bytes{destination=\"mlflow\"} 300.0\n"), "{text}");
        let age = text.lines().find(|line| line.starts_with("openinference_mlflow_queue_oldest_age_seconds{")).unwrap();
        let age: f64 = age.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(age >= 90.0, "{age}");
    }
}
