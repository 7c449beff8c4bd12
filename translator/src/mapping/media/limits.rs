//! Which media becomes an attachment, by its size.

use crate::settings::Settings;

/// Sizes of media that become attachments, in decoded bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttachmentLimits {
    /// Smaller ones stay where they are.
    pub min_bytes: usize,
    /// Larger ones stay where they are.
    pub max_bytes: usize,
}

impl AttachmentLimits {
    /// The configured ones.
    pub fn of(settings: &Settings) -> Self {
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        Self { min_bytes: size(settings.attachment_min_bytes), max_bytes: size(settings.attachment_max_bytes) }
    }
}
