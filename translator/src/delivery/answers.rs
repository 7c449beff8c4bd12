//! What an answer means.
//!
//! MLflow's own refusals are JSON with `detail` (its OTLP endpoint, FastAPI) or `error_code` (its REST API). A refusal
//! in another shape comes from something in front of MLflow, and says nothing about the spans.
//!
//! MLflow reports a failure of its database as a refusal too: 3.6 answers 422 while SQLite is locked (3.7 and later 503), and
//! every version answers 400 `BAD_REQUEST` when no connection is free. SQLAlchemy ends its messages with a link that tells which
//! error it is.

use serde::Deserialize;

use crate::contract::{Answer, Instant, Level, Response};

/// A failure that concerns every request, not this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A stable word for the notice.
    pub topic: &'static str,
    /// How much it matters.
    pub level: Level,
    /// What happened, and what to do.
    pub message: String,
    /// What the server asked for, in milliseconds.
    pub retry_after: Option<u64>,
}

/// Who answers, and is named in what is said about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// An MLflow server.
    Mlflow,
    /// A Databricks workspace.
    Databricks,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Mlflow => "the MLflow server",
            Self::Databricks => "the Databricks workspace",
        }
    }

    fn product(self) -> &'static str {
        match self {
            Self::Mlflow => "MLflow",
            Self::Databricks => "Databricks",
        }
    }

    fn credentials(self) -> &'static str {
        match self {
            Self::Mlflow => "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
            Self::Databricks => "DATABRICKS_TOKEN, or the token of the profile",
        }
    }

    fn address(self) -> &'static str {
        match self {
            Self::Mlflow => "tracking URI",
            Self::Databricks => "DATABRICKS_HOST",
        }
    }
}

/// What an answer to a request means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// 2xx from MLflow.
    Accepted(&'a Response),
    /// MLflow will never take this request; the reason holds no span content.
    Refused {
        /// The HTTP status.
        status: u16,
        /// MLflow's `error_code`, if it sent one.
        code: String,
        /// For people.
        reason: String,
    },
    /// MLflow failed on this request (500): it, or the server, is at fault.
    Failed(Failure),
    /// Nothing can be delivered now.
    Unavailable(Failure),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    detail: serde_json::Value,
    error_code: String,
    message: String,
}

/// How a message of SQLAlchemy ends, and the one error of its list for which a value is to blame.
/// <https://docs.sqlalchemy.org/en/20/errors.html>
const DATABASE_ERROR: &str = "sqlalche.me/e/";
const DATA_ERROR: &str = "/9h9h";

/// Longer texts may quote what they complain about.
const LONGEST_DETAIL: usize = 120;

/// Reads an answer.
pub fn judge(answer: &Answer, peer: Peer, now: Instant) -> Verdict<'_> {
    let (name, product, address) = (peer.name(), peer.product(), peer.address());
    let response = match answer {
        Answer::Response(response) => response,
        Answer::NoAnswer(why) => {
            let message = format!("no answer from {name} ({why}); spans are held and tried again");
            return failure("unreachable", Level::Warn, message, None);
        }
    };
    let retry_after = retry_after(response, now);
    let status = response.status;
    let refusal = refusal(response);
    match status {
        200..=299 if header(response, "content-type").is_some_and(|kind| kind.contains("text/html")) => failure(
            "not-mlflow",
            Level::Error,
            format!("a web page answers instead of {product} (a login page, or a wrong {address}); spans are held"),
            None,
        ),
        200..=299 => Verdict::Accepted(response),
        401 => failure(
            "unauthorized",
            Level::Error,
            format!("{name} does not accept the credentials (401); spans are held: check {}", peer.credentials()),
            retry_after,
        ),
        408 | 425 | 429 | 502..=504 => {
            let message = format!("{name} is busy ({status}); spans are held and tried again");
            failure("busy", Level::Warn, message, retry_after)
        }
        501 if peer == Peer::Mlflow => failure(
            "store",
            Level::Error,
            "the MLflow server's store cannot keep OpenTelemetry spans (501); spans are held: run it on a database \
             (`--backend-store-uri`)"
                .to_owned(),
            retry_after,
        ),
        500..=599 => Verdict::Failed(Failure {
            topic: "failing",
            level: Level::Warn,
            message: format!("{name} fails on a request ({status}); spans are held and tried again"),
            retry_after,
        }),
        400..=499 if refusal.as_ref().is_some_and(Refusal::is_of_the_database) => Verdict::Failed(Failure {
            topic: "failing",
            level: Level::Warn,
            message: format!("{name}'s database fails on a request ({status}); spans are held and tried again"),
            retry_after,
        }),
        413 => Verdict::Refused { status, code: String::new(), reason: "the request is too large".to_owned() },
        _ => match refusal {
            Some(Refusal { detail, error_code, .. }) => {
                let reason = detail.as_str().filter(|text| text.len() <= LONGEST_DETAIL).unwrap_or(&error_code);
                Verdict::Refused { status, reason: reason.to_owned(), code: error_code }
            }
            None => failure(
                "not-mlflow",
                Level::Error,
                format!(
                    "something that is not {product} answers {status} (a proxy, or a wrong {address}); spans are held"
                ),
                retry_after,
            ),
        },
    }
}

impl Refusal {
    fn is_of_the_database(&self) -> bool {
        [self.detail.as_str().unwrap_or_default(), &self.message]
            .iter()
            .any(|text| text.contains(DATABASE_ERROR) && !text.contains(DATA_ERROR))
    }
}

fn failure<'a>(topic: &'static str, level: Level, message: String, retry_after: Option<u64>) -> Verdict<'a> {
    Verdict::Unavailable(Failure { topic, level, message, retry_after })
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// MLflow's own refusal, if the body is one.
fn refusal(response: &Response) -> Option<Refusal> {
    let refusal: Refusal = serde_json::from_slice(&response.body).ok()?;
    (!refusal.detail.is_null() || !refusal.error_code.is_empty()).then_some(refusal)
}

/// `Retry-After` in seconds or as an HTTP date (RFC 9110, section 10.2.3), at most an hour.
fn retry_after(response: &Response, now: Instant) -> Option<u64> {
    let text = header(response, "retry-after")?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => seconds.saturating_mul(1000),
        Err(_) => {
            let at = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
            u64::try_from(at.as_millis()).ok()?.saturating_sub(now)
        }
    };
    Some(wait.min(3_600_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Answer::Response(Response { status, headers, body: body.as_bytes().to_vec() })
    }

    fn topic(answer: &Answer) -> &'static str {
        match judge(answer, Peer::Mlflow, 0) {
            Verdict::Unavailable(failure) => failure.topic,
            Verdict::Accepted(_) => "accepted",
            Verdict::Refused { .. } => "refused",
            Verdict::Failed(_) => "failed",
        }
    }

    #[test]
    fn only_mlflow_itself_can_refuse_spans() {
        assert_eq!(topic(&response(422, &[], r#"{"detail":"Cannot convert"}"#)), "refused");
        assert_eq!(topic(&response(400, &[], r#"{"error_code":"INVALID_PARAMETER_VALUE"}"#)), "refused");
        assert_eq!(topic(&response(400, &[], "<html>Bad Request</html>")), "not-mlflow");
        assert_eq!(topic(&response(404, &[], "")), "not-mlflow");
        assert_eq!(topic(&response(413, &[], "<html>nginx</html>")), "refused");
    }

    #[test]
    fn a_database_that_fails_is_no_refusal() {
        let link = |code: &str| format!("(Background on this error at: https://sqlalche.me/e/20/{code})");
        let of_3_6 = r#"{"detail":"Failed to log OpenTelemetry spans: Trace tr-1: (sqlite3.OperationalError) LINK"}"#;
        assert_eq!(topic(&response(422, &[], &of_3_6.replace("LINK", &link("e3q8")))), "failed");
        let pool = r#"{"error_code":"BAD_REQUEST","message":"QueuePool limit of size 5 overflow 10 reached LINK"}"#;
        assert_eq!(topic(&response(400, &[], &pool.replace("LINK", &link("3o7r")))), "failed");
        let value = r#"{"error_code":"BAD_REQUEST","message":"(psycopg2.DataError) value out of range LINK"}"#;
        assert_eq!(topic(&response(400, &[], &value.replace("LINK", &link("9h9h")))), "refused");
    }

    #[test]
    fn a_web_page_is_not_an_acceptance() {
        assert_eq!(topic(&response(200, &[("content-type", "text/html; charset=utf-8")], "<html>")), "not-mlflow");
        assert_eq!(topic(&response(200, &[("content-type", "application/x-protobuf")], "")), "accepted");
    }

    #[test]
    fn a_long_refusal_is_not_quoted() {
        let answer = response(400, &[], &format!(r#"{{"detail":"{}","error_code":"BAD"}}"#, "secret ".repeat(100)));
        let Verdict::Refused { reason, .. } = judge(&answer, Peer::Mlflow, 0) else { panic!("not a refusal") };
        assert_eq!(reason, "BAD");
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let after = |value: &str, now| match judge(&response(503, &[("Retry-After", value)], ""), Peer::Mlflow, now) {
            Verdict::Unavailable(failure) => failure.retry_after,
            _ => None,
        };
        assert_eq!(after("7", 0), Some(7_000));
        assert_eq!(after("Thu, 01 Jan 1970 00:01:00 GMT", 45_000), Some(15_000));
        assert_eq!(after("soon", 0), None);
        assert_eq!(after("99999999999999999999", 0), None);
        assert_eq!(after("999999999", 0), Some(3_600_000));
    }
}
