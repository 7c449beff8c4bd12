//! `man`: one page for the program and one for each command, made from the command line's own help.

use std::fs;

use anyhow::Context as _;

use crate::cli::{self, ManArgs};

pub(super) fn run(args: &ManArgs) -> anyhow::Result<()> {
    let folder = &args.folder;
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(cli::command(), folder))
        .with_context(|| format!("failed to write the man pages to {}", folder.display()))
}
