//! Metrics as `/metrics` writes them (OpenMetrics text), read back: `name{label="value",…} number`.
//!
//! It reads what this program writes, whose label values have nothing in them that would have to be escaped.

use std::collections::BTreeMap;

use serde_json::{Value, json};

const PREFIX: &str = "openinference_mlflow_";

/// All samples, in the order in which they are written.
#[derive(Debug)]
pub(super) struct Metrics(Vec<Metric>);

#[derive(Debug)]
struct Metric {
    /// Without the prefix.
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

// === impl Metrics ===

impl Metrics {
    /// None, when the text is of another program.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let metrics: Vec<_> = text.lines().filter_map(|line| metric(line.strip_prefix(PREFIX)?)).collect();
        (!metrics.is_empty()).then_some(Self(metrics))
    }

    /// The sum of all samples of this name that have this label, or of all of this name.
    pub(super) fn sum(&self, name: &str, label: Option<(&str, &str)>) -> f64 {
        // An empty sum is -0.0 otherwise.
        self.of(name, label).map(|metric| metric.value).sum::<f64>() + 0.0
    }

    /// The values that a label has in the samples of this name, each with the sum of its samples.
    pub(super) fn by<'a>(&'a self, name: &str, label: &str, within: Option<(&str, &str)>) -> BTreeMap<&'a str, f64> {
        let mut sums = BTreeMap::new();
        for metric in self.of(name, within) {
            if let Some(value) = metric.labels.get(label) {
                *sums.entry(value.as_str()).or_default() += metric.value;
            }
        }
        sums
    }

    fn of<'a, 'b>(&'a self, name: &'b str, label: Option<(&'b str, &'b str)>) -> impl Iterator<Item = &'a Metric> {
        let has = move |metric: &&'a Metric| {
            label.is_none_or(|(key, value)| metric.labels.get(key).is_some_and(|found| found == value))
        };
        self.0.iter().filter(move |metric| metric.name == name).filter(has)
    }

    pub(super) fn json(&self) -> Value {
        let metrics = self.0.iter().map(|Metric { name, labels, value }| match labels.is_empty() {
            true => json!({ "name": name, "value": value }),
            false => json!({ "name": name, "labels": labels, "value": value }),
        });
        metrics.collect()
    }
}

fn metric(line: &str) -> Option<Metric> {
    let (name, value) = line.rsplit_once(' ')?;
    let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
    // A value may contain a comma, such as a URL, but not after a quote.
    let pairs = labels.strip_suffix('}')?.split_inclusive("\",").map(|pair| pair.trim_end_matches(','));
    let pairs = pairs.filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        Some((key.to_owned(), value.trim_matches('"').to_owned()))
    };
    Some(Metric { name: name.to_owned(), labels: pairs.map(pair).collect::<Option<_>>()?, value: value.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::{self, Transport};

    #[test]
    fn given_what_a_host_writes_then_its_metrics_are_read_back() {
        let registry = telemetry::Metrics::default();
        registry.received.arrived(Transport::Http, 10);
        registry.received.arrived(Transport::Grpc, 5);
        registry.received.refused(Transport::Grpc, "full");
        registry.requested("mlflow", Some(200), Duration::from_millis(30));
        let metrics = Metrics::parse(&registry.text().unwrap()).unwrap();
        assert_eq!(metrics.sum("received_bytes_total", None), 15.0);
        assert_eq!(metrics.sum("received_bytes_total", Some(("transport", "http"))), 10.0);
        assert_eq!(metrics.by("refused_payloads_total", "reason", None), [("full", 1.0)].into());
        assert_eq!(metrics.sum("request_duration_seconds_count", None), 1.0);
        assert_eq!(metrics.sum("no_such_metric", None).to_string(), "0");
        let queue = r#"openinference_mlflow_queue_payloads{destination="http://a/b,c=d"} 2.0"#;
        let metrics_of_urls = Metrics::parse(&format!("{queue}\n# EOF\n")).unwrap();
        assert_eq!(metrics_of_urls.by("queue_payloads", "destination", None), [("http://a/b,c=d", 2.0)].into());
        let at_most_50_ms =
            metrics.by("request_duration_seconds_bucket", "le", Some(("destination", "mlflow")))["0.05"];
        assert_eq!(at_most_50_ms, 1.0);
    }

    #[test]
    fn given_the_text_of_another_program_then_there_are_no_metrics() {
        for text in ["", "<html>", "go_goroutines 7\n# EOF\n"] {
            assert!(Metrics::parse(text).is_none(), "{text}");
        }
    }
}
