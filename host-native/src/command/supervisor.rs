//! Tells systemd that the host serves, and that it is stopping, when systemd started it and wants to know (sd_notify(3));
//! whoever else started it hears nothing.

/// Both ports take connections.
pub(super) fn ready() {
    #[cfg(target_os = "linux")]
    tell(sd_notify::NotifyState::Ready);
}

/// Nothing more is accepted.
pub(super) fn stopping() {
    #[cfg(target_os = "linux")]
    tell(sd_notify::NotifyState::Stopping);
}

#[cfg(target_os = "linux")]
fn tell(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!("cannot notify systemd: {error}");
    }
}
