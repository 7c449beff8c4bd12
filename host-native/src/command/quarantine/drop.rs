//! `quarantine drop`: the end of payloads that nobody wants, after a question.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::outline;
use crate::quarantine::QuarantineEntry;

pub(super) fn run(items: &[QuarantineEntry], yes: bool) -> anyhow::Result<ExitCode> {
    if items.is_empty() {
        anstream::println!("Nothing is quarantined.");
        return Ok(ExitCode::SUCCESS);
    }
    let spans: usize = items.iter().filter_map(|item| outline::of(&item.path).ok().flatten()).map(|s| s.len()).sum();
    if !yes && !asked(items.len(), spans)? {
        anstream::println!("Nothing was dropped.");
        return Ok(ExitCode::FAILURE);
    }
    for item in items {
        item.remove().with_context(|| format!("{} cannot be removed", item.path.display()))?;
    }
    anstream::println!("Dropped: {} payloads, with {spans} spans.", items.len());
    Ok(ExitCode::SUCCESS)
}

fn asked(payloads: usize, spans: usize) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        bail!(
            "cannot ask for confirmation, because standard input is not a terminal\nhint: --yes drops {payloads} payloads, with {spans} spans, without asking"
        );
    }
    anstream::print!("Drop {payloads} payloads, with {spans} spans? They are held nowhere else. [y/N] ");
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
