//! How far a replay is, as a bar on a terminal; elsewhere nothing.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use super::capture::Unreadable;
use crate::logs;

/// A bar over the bytes of the files, with the payloads that are done beside it.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

// === impl Progress ===

impl Progress {
    pub(super) fn new(files: &[Result<PathBuf, Unreadable>]) -> Self {
        let total = files.iter().flatten().map(|path| size(path)).sum();
        let bar = logs::bars().add(ProgressBar::new(total));
        let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} read, {msg} payloads delivered");
        // The template is a constant, and one that can be read.
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message("0");
        Self { bar }
    }

    pub(super) fn file_read(&self, path: &Path) {
        self.bar.inc(size(path));
    }

    /// The bar itself, whose message is the number of payloads that are done.
    pub(super) fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}
