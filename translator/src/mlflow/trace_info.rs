//! The info of a trace, and its JSON for `POST /api/3.0/mlflow/traces` and the local folder.

use serde_json::{Map, Value, json};

/// The state of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceState {
    /// The root ended without error.
    Ok,
    /// The root ended with an error.
    Error,
    /// No root yet.
    InProgress,
}

/// Everything MLflow's trace info holds.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceInfo {
    /// The OpenTelemetry trace id.
    pub trace_id: [u8; 16],
    /// The experiment's id (its folder's name in the local folder).
    pub experiment_id: String,
    /// Earliest start, nanoseconds since the Unix epoch.
    pub start: u64,
    /// Latest end, nanoseconds since the Unix epoch.
    pub end: u64,
    /// The trace's state.
    pub state: TraceState,
    /// At most 1000 characters.
    pub request_preview: Option<String>,
    /// At most 1000 characters.
    pub response_preview: Option<String>,
    /// Trace tags, `mlflow.traceName` among them.
    pub tags: Vec<(String, String)>,
    /// Trace metadata.
    pub metadata: Vec<(String, String)>,
}

impl TraceInfo {
    /// The `trace_info` object: times as RFC 3339 and seconds (`"0.188s"`), as MLflow's `TraceInfoV3` has them.
    pub fn to_json(&self) -> Value {
        let mut info = self.common_json();
        let duration = self.duration_ms();
        info.insert("execution_duration".into(), format!("{}{}s", duration / 1000, fraction(duration % 1000)).into());
        Value::Object(info)
    }

    /// The `info` object of a trace's own JSON, which has the duration in milliseconds.
    #[cfg(feature = "json")]
    pub(crate) fn to_trace_json(&self) -> Value {
        let mut info = self.common_json();
        info.insert("execution_duration_ms".into(), self.duration_ms().into());
        Value::Object(info)
    }

    /// The trace's id in MLflow's form: `tr-` and 32 lower-case hexadecimal digits.
    pub fn id(&self) -> String {
        format!("tr-{:032x}", u128::from_be_bytes(self.trace_id))
    }

    /// MLflow counts whole milliseconds of both times, and then their difference.
    fn duration_ms(&self) -> u64 {
        (self.end / NANOS_PER_MILLI).saturating_sub(self.start / NANOS_PER_MILLI)
    }

    fn common_json(&self) -> Map<String, Value> {
        let mut info = Map::new();
        info.insert("trace_id".into(), self.id().into());
        info.insert(
            "trace_location".into(),
            json!({"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": self.experiment_id}}),
        );
        info.insert("request_time".into(), rfc3339(self.start / NANOS_PER_MILLI).into());
        info.insert("state".into(), self.state.word().into());
        for (key, preview) in [("request_preview", &self.request_preview), ("response_preview", &self.response_preview)]
        {
            if let Some(preview) = preview {
                info.insert(key.into(), preview.as_str().into());
            }
        }
        info.insert("trace_metadata".into(), object(&self.metadata));
        info.insert("tags".into(), object(&self.tags));
        info
    }
}

impl TraceState {
    /// MLflow's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Error => "ERROR",
            Self::InProgress => "IN_PROGRESS",
        }
    }
}

const NANOS_PER_MILLI: u64 = 1_000_000;

fn object(entries: &[(String, String)]) -> Value {
    entries.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect::<Map<_, _>>().into()
}

fn fraction(millis: u64) -> String {
    if millis == 0 { String::new() } else { format!(".{millis:03}") }
}

/// A time in UTC, from milliseconds since the Unix epoch.
pub(crate) fn rfc3339(millis: u64) -> String {
    let seconds = millis / 1000;
    let (year, month, day) = civil_from_days(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{}Z", fraction(millis % 1000))
}

/// The Gregorian date of a day since 1970-01-01. Years are counted from March, so that a leap day ends its year:
/// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    const DAYS_PER_ERA: u64 = 146_097;
    let days = days + 719_468;
    let (era, day_of_era) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_with_milliseconds_where_there_are_any() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (1_760_000_000_050, "2025-10-09T08:53:20.050Z"),
            (9_223_372_036_854, "2262-04-11T23:47:16.854Z"),
        ] {
            assert_eq!(rfc3339(millis), text);
        }
    }

    #[test]
    fn an_info_is_written_as_mlflow_takes_it() {
        let info = TraceInfo {
            trace_id: [0xab; 16],
            experiment_id: "7".into(),
            start: 1_760_000_000_999_999_999,
            end: 1_760_000_001_188_000_000,
            state: TraceState::Error,
            request_preview: Some("\"hi\"".into()),
            response_preview: None,
            tags: vec![("mlflow.traceName".into(), "root".into())],
            metadata: vec![],
        };
        assert_eq!(
            info.to_json(),
            json!({
                "trace_id": "tr-abababababababababababababababab",
                "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "7"}},
                "request_time": "2025-10-09T08:53:20.999Z",
                "execution_duration": "0.189s",
                "state": "ERROR",
                "request_preview": "\"hi\"",
                "trace_metadata": {},
                "tags": {"mlflow.traceName": "root"},
            })
        );
        assert_eq!(TraceInfo { end: info.start, ..info.clone() }.to_json()["execution_duration"], "0s");
        assert_eq!(TraceInfo { end: 0, ..info }.to_trace_json()["execution_duration_ms"], 0);
    }
}
