//! Why a request is rejected, and the answer for each transport.
//!
//! OTLP/HTTP senders retry on 429, 502, 503 and 504 only. OTLP/gRPC senders retry on UNAVAILABLE, DEADLINE_EXCEEDED and a
//! few others, and on RESOURCE_EXHAUSTED only with a RetryInfo.

use std::time::Duration;

use http::StatusCode;
use tonic::Code;
use tonic_types::{ErrorDetails, StatusExt};

use super::challenge::Challenge;
use crate::driver::Refused;

/// How long a sender waits for a gateway that restarts.
const RESTART: Duration = Duration::from_secs(1);
/// How long a sender waits when the gateway is busy.
const BUSY: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The body cannot be decoded.
    #[error("the request is not readable OTLP: {0}")]
    Malformed(String),
    /// The body cannot be decompressed, or is incomplete.
    #[error("failed to read the request body: {0}")]
    Unreadable(String),
    /// A header has an invalid value.
    #[error("{0}")]
    Header(String),
    #[error("the request is larger than {limit} bytes (decompressed); send smaller batches, or raise --max-body-size")]
    TooLarge { limit: usize },
    #[error("the request's body did not arrive within {} s", .limit.as_secs_f64())]
    TooSlow { limit: Duration },
    /// The credentials are missing or wrong.
    #[error("missing or unknown credentials; send {0}")]
    Unauthenticated(Challenge),
    /// The limit on requests or bytes in flight is reached.
    #[error("too many requests in flight; retry in {} s (limits: --max-requests, --max-inflight-size)", BUSY.as_secs())]
    Busy,
    #[error("content type {0} is not supported; expected application/x-protobuf or application/json")]
    ContentType(String),
    #[error("content encoding {0} is not supported; expected gzip, deflate, zstd or none")]
    ContentEncoding(String),
    #[error(transparent)]
    Bridge(Refused),
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Malformed(reason) => Self::Malformed(reason),
            refused => Self::Bridge(refused),
        }
    }
}

impl Refusal {
    pub(super) fn http_status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::Unreadable(_) | Self::Header(_) => StatusCode::BAD_REQUEST,
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::ContentType(_) | Self::ContentEncoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Busy
            | Self::Bridge(
                Refused::Full(_) | Refused::JournalFull(_) | Refused::JournalUnavailable(_) | Refused::Stopped,
            ) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Bridge(Refused::Malformed(_)) => StatusCode::BAD_REQUEST,
            Self::Bridge(Refused::Quarantined(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The `reason` label in `/metrics`.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Bridge(Refused::Malformed(_)) => "malformed",
            Self::Unreadable(_) => "unreadable",
            Self::Header(_) => "header",
            Self::TooLarge { .. } => "too_large",
            Self::TooSlow { .. } => "too_slow",
            Self::Unauthenticated(_) => "unauthenticated",
            Self::Busy => "busy",
            Self::ContentType(_) => "content_type",
            Self::ContentEncoding(_) => "content_encoding",
            Self::Bridge(Refused::Full(_)) => "full",
            Self::Bridge(Refused::JournalFull(_)) => "journal_full",
            Self::Bridge(Refused::JournalUnavailable(_)) => "journal_unavailable",
            Self::Bridge(Refused::Quarantined(_)) => "quarantine",
            Self::Bridge(Refused::Stopped) => "stopping",
        }
    }

    /// How long the sender should wait before it retries. None: it must not retry.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Bridge(Refused::Full(wait) | Refused::JournalFull(wait) | Refused::JournalUnavailable(wait)) => {
                Some(*wait)
            }
            Self::Bridge(Refused::Stopped) => Some(RESTART),
            Self::Busy => Some(BUSY),
            _ => None,
        }
    }

    /// The gRPC status. Its details are the encoded `google.rpc.Status`, which is also the body of an HTTP answer.
    pub(super) fn status(&self) -> tonic::Status {
        let code = match self {
            Self::Malformed(_) | Self::Unreadable(_) | Self::Header(_) | Self::ContentType(_) => Code::InvalidArgument,
            Self::Bridge(Refused::Malformed(_)) => Code::InvalidArgument,
            Self::Unauthenticated(_) => Code::Unauthenticated,
            Self::ContentEncoding(_) => Code::Unimplemented,
            Self::TooLarge { .. } | Self::Busy | Self::Bridge(Refused::Full(_) | Refused::JournalFull(_)) => {
                Code::ResourceExhausted
            }
            Self::TooSlow { .. } => Code::DeadlineExceeded,
            Self::Bridge(Refused::JournalUnavailable(_) | Refused::Stopped) => Code::Unavailable,
            Self::Bridge(Refused::Quarantined(_)) => Code::Internal,
        };
        let mut details = ErrorDetails::new();
        if let Some(wait) = self.retry_after() {
            details.set_retry_info(Some(wait));
        }
        if code == Code::InvalidArgument {
            details.add_bad_request_violation("", self.to_string());
        }
        tonic::Status::with_error_details(code, self.to_string(), details)
    }
}
