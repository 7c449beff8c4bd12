//! What an MLflow server can take, by its version.

use crate::mapping::Additions;
use crate::otlp::write::Attributes;

/// `major.minor` of a server; an unknown one is taken to be current.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u16, pub u16);

impl Version {
    /// Reads what `GET /version` answers: `3.17.2`, `3.18.0.dev0`.
    pub fn parse(_text: &str) -> Option<Self> {
        None
    }
}

/// Writes additions the way a server of this version reads them (3.6 wants objects as `kvlist`, later ones as JSON text).
pub fn write(_additions: &Additions<'_>, _version: Version) -> Attributes {
    Attributes::default()
}
