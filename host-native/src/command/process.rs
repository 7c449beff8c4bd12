//! What the program asks of the system for its own process.

/// Connections need file descriptors; so do the files and requests of the rest.
#[cfg(target_os = "linux")]
const OTHER_FILES: u64 = 256;

/// No core dump and no debugger of the same user gets what is in memory: credentials, and what the spans say.
#[cfg(target_os = "linux")]
pub(super) fn keep_memory_private() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::debug!("core dumps are left to the system's settings: {error}");
    }
}

/// Elsewhere the system's own settings decide.
#[cfg(not(target_os = "linux"))]
pub(super) fn keep_memory_private() {}

/// Raise the limit of open files as far as it goes, and say how many connections each of the two receivers can have
/// below it, if that is less than wanted.
#[cfg(target_os = "linux")]
pub(super) fn connections_within_file_limit(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let Some(files) = files else { return wanted };
    let possible = usize::try_from(files.saturating_sub(OTHER_FILES) / 2).unwrap_or(usize::MAX).max(1);
    if possible < wanted {
        tracing::warn!(
            "the system lets this process open {files} files, enough for {possible} connections on each receiver instead \
             of {wanted}; raise the limit (ulimit -n, LimitNOFILE=), or lower --max-connections"
        );
    }
    possible.min(wanted)
}

/// Elsewhere the limit is taken as it is.
#[cfg(not(target_os = "linux"))]
pub(super) fn connections_within_file_limit(wanted: usize) -> usize {
    wanted
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, dumpable_behavior};

    use super::*;

    #[test]
    fn given_a_process_that_holds_credentials_then_it_leaves_no_core_dump() {
        keep_memory_private();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    }

    #[test]
    fn given_more_connections_than_files_then_there_are_as_many_as_files_allow() {
        assert_eq!(connections_within_file_limit(1), 1);
        assert!(connections_within_file_limit(usize::MAX) < usize::MAX);
    }
}
