//! The authentication schemes that a client may use.

use std::fmt;

use http::HeaderValue;

/// The value of `www-authenticate` for a client without valid credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Challenge {
    Bearer,
    Basic,
    Both,
}

// === impl Challenge ===

impl Challenge {
    pub(super) fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Bearer => r#"Bearer realm="openinference-mlflow""#,
            Self::Basic => r#"Basic realm="openinference-mlflow", charset="UTF-8""#,
            Self::Both => r#"Bearer realm="openinference-mlflow", Basic realm="openinference-mlflow", charset="UTF-8""#,
        })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer => "`authorization: Bearer <token>`",
            Self::Basic => "`authorization: Basic <user name and password>`",
            Self::Both => "`authorization: Bearer <token>` or `authorization: Basic <user name and password>`",
        })
    }
}
