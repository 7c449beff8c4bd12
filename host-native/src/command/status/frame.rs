//! A sample as people read it: a frame of lines, or one line. Rates and latencies are those since the sample before, or
//! since the host's start.

use bytesize::ByteSize;
use reqwest::Url;

use super::Sample;
use super::metrics::Metrics;

/// Everything, a line for each subject.
pub(super) fn frame(url: &Url, sample: &Sample, before: Option<&Sample>) -> String {
    let metrics = &sample.metrics;
    let since = Since { sample, before };
    let version = metrics.by("build_info", "version", None).into_keys().next().unwrap_or("?");
    let mut lines = vec![format!("openinference-mlflow {version} at {url}  {}", readiness(sample)), String::new()];
    let mut say = |subject: &str, text: String| lines.push(format!("  {subject:<13} {text}"));

    let received = metrics.sum("received_payloads_total", None);
    let bytes = bytes(metrics.sum("received_bytes_total", None));
    say("requests", format!("{received} received{}, {bytes}", since.rate("received_payloads_total")));
    say("", format!("{} acknowledged", metrics.sum("acknowledged_payloads_total", None)));
    let refused = metrics.by("refused_payloads_total", "reason", None);
    if !refused.is_empty() {
        say("", format!("{} refused: {}", refused.values().sum::<f64>(), counts(&refused)));
    }
    let spans = |name: &str| metrics.sum(&format!("{name}_spans_total"), None);
    let rate = |name: &str| since.rate(&format!("{name}_spans_total"));
    say("spans", format!("{} received{}", spans("received"), rate("received")));
    say("", format!("{} delivered{}", spans("delivered"), rate("delivered")));
    let repaired = metrics.sum("repaired_values_total", None);
    let aside = spans("quarantined");
    say("", format!("{} duplicate, {aside} quarantined, {repaired} values repaired", spans("duplicate")));
    let held = self::bytes(metrics.sum("held_bytes", None));
    let (traces, open) = (metrics.sum("open_traces", None), metrics.sum("open_spans", None));
    say("open", format!("{traces} traces, {open} spans; {held} held"));
    if let Some(pending_quarantine) =
        Some(metrics.sum("pending_quarantine_payloads", None)).filter(|payloads| *payloads > 0.0)
    {
        say("quarantine", format!("{pending_quarantine} payloads wait for room in it, in the journal"));
    }
    for (destination, payloads) in metrics.by("queue_payloads", "destination", None) {
        let waiting = waiting(metrics, destination);
        say(&format!("to {destination}"), format!("{payloads} payloads wait{waiting}"));
        if let Some(requests) = since.requests(destination) {
            say("", requests);
        }
    }
    for (group, partitions) in metrics.by("kafka_assigned_partitions", "group", None) {
        let of = Some(("group", group));
        let count = |name: &str| metrics.sum(name, of);
        let paused = if count("kafka_paused") > 0.0 { ", paused" } else { "" };
        say(
            "kafka",
            format!(
                "group {group}: {partitions} partitions{paused}, {} messages behind, {} open",
                count("kafka_lag_messages"),
                self::bytes(count("kafka_inflight_bytes"))
            ),
        );
        say(
            "",
            format!(
                "{} messages read, {} commits, {} rebalances, {} refused",
                count("kafka_messages_total"),
                count("kafka_commits_total"),
                count("kafka_rebalances_total"),
                count("kafka_refused_total")
            ),
        );
    }
    let calls = metrics.sum("translator_call_duration_seconds_sum", None);
    let traps = metrics.sum("translator_traps_total", None);
    say("translator", format!("{calls:.1} s at work{}, {traps} traps", since.share()));
    lines.join("\n")
}

/// The most important metrics.
pub(super) fn line(sample: &Sample, before: Option<&Sample>) -> String {
    let metrics = &sample.metrics;
    let since = Since { sample, before };
    let queues = metrics.by("queue_payloads", "destination", None);
    let queues: Vec<_> =
        queues.keys().map(|destination| format!("{destination}{}", waiting(metrics, destination))).collect();
    format!(
        "{}; {} requests{}, {} refused; {} spans delivered{}, {} open, {} quarantined; waiting for {}",
        readiness(sample),
        metrics.sum("received_payloads_total", None),
        since.rate("received_payloads_total"),
        metrics.sum("refused_payloads_total", None),
        metrics.sum("delivered_spans_total", None),
        since.rate("delivered_spans_total"),
        metrics.sum("open_spans", None),
        metrics.sum("quarantined_spans_total", None),
        queues.join(", "),
    )
}

/// Whether it is ready, and what is wrong, be it that it decides or not.
fn readiness(sample: &Sample) -> String {
    // Those that decide come first.
    let mut failing: Vec<_> = sample.readiness.checks.iter().filter(|check| !check.ok).collect();
    failing.sort_by_key(|check| !check.required);
    let failing: Vec<_> = failing
        .into_iter()
        .map(|check| {
            let name = check.destination.as_deref().unwrap_or(&check.name);
            format!("{name}: {}", check.reason.as_deref().unwrap_or("?"))
        })
        .collect();
    match (sample.readiness.ready, failing.is_empty()) {
        (true, true) => "ready".to_owned(),
        (true, false) => format!("ready, but {}", failing.join("; ")),
        (false, _) => format!("NOT READY: {}", failing.join("; ")),
    }
}

/// The bytes that wait for a destination, and for how long.
fn waiting(metrics: &Metrics, destination: &str) -> String {
    let of = Some(("destination", destination));
    let age = metrics.sum("queue_oldest_age_seconds", of);
    let oldest = if age > 0.0 { format!(", the oldest for {age:.1} s") } else { String::new() };
    format!(" ({}{oldest})", bytes(metrics.sum("queue_bytes", of)))
}

fn counts(counts: &std::collections::BTreeMap<&str, f64>) -> String {
    counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

fn bytes(bytes: f64) -> String {
    ByteSize(bytes as u64).to_string()
}

/// Two samples, or one that counts from the start.
struct Since<'a> {
    sample: &'a Sample,
    before: Option<&'a Sample>,
}

// === impl Since ===

impl Since<'_> {
    fn seconds(&self) -> Option<f64> {
        let seconds = self.sample.at.duration_since(self.before?.at).as_secs_f64();
        (seconds > 0.0).then_some(seconds)
    }

    fn grown(&self, name: &str, label: Option<(&str, &str)>) -> f64 {
        let before = self.before.map_or(0.0, |before| before.metrics.sum(name, label));
        // A host that was restarted counts from 0.
        (self.sample.metrics.sum(name, label) - before).max(0.0)
    }

    /// How fast it grows, when that is known.
    fn rate(&self, name: &str) -> String {
        self.seconds().map_or(String::new(), |seconds| format!(" ({:.0}/s)", self.grown(name, None) / seconds))
    }

    /// How much of a core the translator takes.
    fn share(&self) -> String {
        let grown = self.grown("translator_call_duration_seconds_sum", None);
        self.seconds().map_or(String::new(), |seconds| format!(" ({:.0} % of a core)", 100.0 * grown / seconds))
    }

    /// How many requests there were, how they ended, and how long most of them took.
    fn requests(&self, destination: &str) -> Option<String> {
        let of = Some(("destination", destination));
        let ends = self.sample.metrics.by("request_duration_seconds_count", "status", of);
        if ends.is_empty() {
            return None;
        }
        let latency = |share| Some(format!(", {:.0} % within {} s", share * 100.0, self.quantile(share, of)?));
        let (most, nearly_all) = (latency(0.5).unwrap_or_default(), latency(0.99).unwrap_or_default());
        Some(format!("requests: {}{most}{nearly_all}", counts(&ends)))
    }

    /// The bound below which this share of the requests lies.
    fn quantile(&self, share: f64, of: Option<(&str, &str)>) -> Option<String> {
        const BUCKETS: &str = "request_duration_seconds_bucket";
        let before = self.before.map(|before| before.metrics.by(BUCKETS, "le", of)).unwrap_or_default();
        let now = self.sample.metrics.by(BUCKETS, "le", of);
        let mut grown: Vec<(f64, f64)> = Vec::new();
        for (key, count) in now {
            let bound = if key == "+Inf" { f64::INFINITY } else { key.parse().ok()? };
            grown.push((bound, count - before.get(key).copied().unwrap_or_default()));
        }
        grown.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all = grown.last()?.1;
        let (bound, _) = grown.iter().find(|(_, count)| all > 0.0 && *count >= share * all)?;
        Some(if bound.is_finite() { bound.to_string() } else { "more than 30".to_owned() })
    }
}
