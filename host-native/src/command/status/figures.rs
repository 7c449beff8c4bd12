//! Figures as `/metrics` writes them (OpenMetrics text), read back: `name{label="value",…} number`.
//!
//! It reads what this program writes, whose label values have nothing in them that would have to be escaped.

use std::collections::BTreeMap;

use serde_json::{Value, json};

const PREFIX: &str = "openinference_mlflow_";

/// All samples, in the order in which they are written.
#[derive(Debug)]
pub(super) struct Figures(Vec<Figure>);

#[derive(Debug)]
struct Figure {
    /// Without the prefix.
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

// === impl Figures ===

impl Figures {
    /// None, when the text is of another program.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let figures: Vec<_> = text.lines().filter_map(|line| figure(line.strip_prefix(PREFIX)?)).collect();
        (!figures.is_empty()).then_some(Self(figures))
    }

    /// The sum of all samples of this name that have this label, or of all of this name.
    pub(super) fn sum(&self, name: &str, label: Option<(&str, &str)>) -> f64 {
        // An empty sum is -0.0 otherwise.
        self.of(name, label).map(|figure| figure.value).sum::<f64>() + 0.0
    }

    /// The values that a label has in the samples of this name, each with the sum of its samples.
    pub(super) fn by<'a>(&'a self, name: &str, label: &str, within: Option<(&str, &str)>) -> BTreeMap<&'a str, f64> {
        let mut sums = BTreeMap::new();
        for figure in self.of(name, within) {
            if let Some(value) = figure.labels.get(label) {
                *sums.entry(value.as_str()).or_default() += figure.value;
            }
        }
        sums
    }

    fn of<'a, 'b>(&'a self, name: &'b str, label: Option<(&'b str, &'b str)>) -> impl Iterator<Item = &'a Figure> {
        let has = move |figure: &&'a Figure| {
            label.is_none_or(|(key, value)| figure.labels.get(key).is_some_and(|found| found == value))
        };
        self.0.iter().filter(move |figure| figure.name == name).filter(has)
    }

    pub(super) fn json(&self) -> Value {
        let figures = self.0.iter().map(|Figure { name, labels, value }| match labels.is_empty() {
            true => json!({ "name": name, "value": value }),
            false => json!({ "name": name, "labels": labels, "value": value }),
        });
        figures.collect()
    }
}

fn figure(line: &str) -> Option<Figure> {
    let (name, value) = line.rsplit_once(' ')?;
    let (name, labels) = name.split_once('{').unwrap_or((name, "}"));
    // A comma may stand in a value, such as a URL, but not behind a quote.
    let pairs = labels.strip_suffix('}')?.split_inclusive("\",").map(|pair| pair.trim_end_matches(','));
    let pairs = pairs.filter(|pair| !pair.is_empty());
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        Some((key.to_owned(), value.trim_matches('"').to_owned()))
    };
    Some(Figure { name: name.to_owned(), labels: pairs.map(pair).collect::<Option<_>>()?, value: value.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::{Metrics, Transport};

    #[test]
    fn given_what_a_host_writes_then_its_figures_are_read_back() {
        let metrics = Metrics::default();
        metrics.received.arrived(Transport::Http, 10);
        metrics.received.arrived(Transport::Grpc, 5);
        metrics.received.refused(Transport::Grpc, "full");
        metrics.requested("mlflow", Some(200), Duration::from_millis(30));
        let figures = Figures::parse(&metrics.text().unwrap()).unwrap();
        assert_eq!(figures.sum("received_bytes_total", None), 15.0);
        assert_eq!(figures.sum("received_bytes_total", Some(("transport", "http"))), 10.0);
        assert_eq!(figures.by("refused_payloads_total", "reason", None), [("full", 1.0)].into());
        assert_eq!(figures.sum("request_duration_seconds_count", None), 1.0);
        assert_eq!(figures.sum("no_such_figure", None).to_string(), "0");
        let queue = r#"openinference_mlflow_queue_payloads{destination="http://a/b,c=d"} 2.0"#;
        let figures_of_urls = Figures::parse(&format!("{queue}\n# EOF\n")).unwrap();
        assert_eq!(figures_of_urls.by("queue_payloads", "destination", None), [("http://a/b,c=d", 2.0)].into());
        let at_most_50_ms =
            figures.by("request_duration_seconds_bucket", "le", Some(("destination", "mlflow")))["0.05"];
        assert_eq!(at_most_50_ms, 1.0);
    }

    #[test]
    fn given_the_text_of_another_program_then_there_are_no_figures() {
        for text in ["", "<html>", "go_goroutines 7\n# EOF\n"] {
            assert!(Figures::parse(text).is_none(), "{text}");
        }
    }
}
