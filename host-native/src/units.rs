//! Values that people write with a unit or in a fixed form, and the errors that say how to write them.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use thiserror::Error;

/// A length of time, written with its unit: `500ms`, `10s`, `5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Period(pub Duration);

/// Text that is no [`Period`].
#[derive(Debug, Error)]
#[error("{source}; write a duration with its unit, such as 500ms, 10s or 5m")]
pub struct BadPeriod {
    source: humantime::DurationError,
}

impl Period {
    /// Whole milliseconds, as the translator's settings take them.
    pub fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }
}

impl FromStr for Period {
    type Err = BadPeriod;

    fn from_str(text: &str) -> Result<Self, BadPeriod> {
        humantime::parse_duration(text).map(Self).map_err(|source| BadPeriod { source })
    }
}

impl TryFrom<String> for Period {
    type Error = BadPeriod;

    fn try_from(text: String) -> Result<Self, BadPeriod> {
        text.parse()
    }
}

/// A point in time, written as a day, as a time in UTC, or as how long ago it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub SystemTime);

/// Text that is no [`Moment`].
#[derive(Debug, Error)]
#[error("write a day such as 2026-11-01, a time in UTC such as 2026-11-01T12:00:00Z, or how long ago, such as 30d")]
pub struct BadMoment;

impl FromStr for Moment {
    type Err = BadMoment;

    fn from_str(text: &str) -> Result<Self, BadMoment> {
        let text = text.trim();
        if let Ok(ago) = humantime::parse_duration(text) {
            return SystemTime::now().checked_sub(ago).map(Self).ok_or(BadMoment);
        }
        let midnight = || humantime::parse_rfc3339(&format!("{text}T00:00:00Z"));
        humantime::parse_rfc3339(text).or_else(|_| midnight()).map(Self).map_err(|_| BadMoment)
    }
}

/// An MLflow experiment id: decimal digits. MLflow's OTLP endpoint answers 400 to anything else.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DecimalId(String);

/// Text that is no [`DecimalId`].
#[derive(Debug, Error)]
#[error("an experiment id is a number, such as 0; to name an experiment use its name (--experiment)")]
pub struct BadId;

impl DecimalId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DecimalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DecimalId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        text.to_owned().try_into()
    }
}

impl TryFrom<String> for DecimalId {
    type Error = BadId;

    fn try_from(text: String) -> Result<Self, BadId> {
        if text.is_empty() || text.len() > 19 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(BadId);
        }
        Ok(Self(text))
    }
}

/// Where operators look: an address to listen on, or nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum AdminAddress {
    /// Nowhere.
    Off,
    /// Here.
    At(SocketAddr),
}

impl FromStr for AdminAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        if text == "off" { Ok(Self::Off) } else { address(text).map(Self::At) }
    }
}

impl TryFrom<String> for AdminAddress {
    type Error = BadAddress;

    fn try_from(text: String) -> Result<Self, BadAddress> {
        text.parse()
    }
}

/// The base URL of an OTLP/HTTP endpoint, without credentials.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct OtlpEndpoint(pub reqwest::Url);

/// Text that is no [`OtlpEndpoint`].
#[derive(Debug, Error)]
#[error(
    "expected the base URL of an OTLP/HTTP endpoint, such as http://127.0.0.1:4418; credentials do not belong in it but \
     in OTEL_EXPORTER_OTLP_HEADERS"
)]
pub struct OtlpEndpointError;

impl FromStr for OtlpEndpoint {
    type Err = OtlpEndpointError;

    fn from_str(text: &str) -> Result<Self, OtlpEndpointError> {
        let url = reqwest::Url::parse(text).map_err(|_| OtlpEndpointError)?;
        let plain = url.username().is_empty() && url.password().is_none();
        if plain && url.has_host() && matches!(url.scheme(), "http" | "https") {
            Ok(Self(url))
        } else {
            Err(OtlpEndpointError)
        }
    }
}

impl TryFrom<String> for OtlpEndpoint {
    type Error = OtlpEndpointError;

    fn try_from(text: String) -> Result<Self, OtlpEndpointError> {
        text.parse()
    }
}

/// Text that is no address to listen on.
#[derive(Debug, Error)]
#[error(
    "expected an IP address and a port, such as 127.0.0.1:4317, or 0.0.0.0:4317 for all of this machine's addresses"
)]
pub struct BadAddress;

/// Read an address to listen on.
///
/// # Errors
/// It is not an IP address and a port.
pub fn address(text: &str) -> Result<SocketAddr, BadAddress> {
    text.parse().map_err(|_| BadAddress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_moment_then_days_times_and_lengths_of_time_are_understood() {
        let at = |text: &str| humantime::format_rfc3339_seconds(text.parse::<Moment>().unwrap().0).to_string();
        assert_eq!(at("2026-11-01"), "2026-11-01T00:00:00Z");
        assert_eq!(at("2026-11-01T12:30:00.5Z"), "2026-11-01T12:30:00Z");
        let before = SystemTime::now();
        let moment = "2h".parse::<Moment>().unwrap().0 + Duration::from_secs(7200);
        assert!(before <= moment && moment <= SystemTime::now());
        for bad in ["", "yesterday", "2026-13-01", "2026-11-01T12:00:00+01:00"] {
            assert!(bad.parse::<Moment>().unwrap_err().to_string().contains("30d"), "{bad}");
        }
    }
}
