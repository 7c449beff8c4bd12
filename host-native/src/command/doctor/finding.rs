//! What was found, how bad it is, and what to do: for people, and as JSON.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::settings::SettingsError;
use crate::terminal::printable;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// It works, but not as well as it could, or perhaps not as was meant.
    Warning,
    /// It will not work.
    Broken,
}

/// One thing that was checked.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// A stable word for it.
    pub(super) check: &'static str,
    pub(super) state: State,
    pub(super) found: String,
    /// What to do about it; empty when there is nothing to do.
    #[serde(rename = "do", skip_serializing_if = "String::is_empty")]
    pub(super) advice: String,
}

/// All that was checked, in the order in which it was.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    healthy: bool,
    findings: Vec<Finding>,
}

// === impl State ===

impl State {
    fn mark(self) -> (&'static str, Style) {
        match self {
            Self::Ok => ("✓", AnsiColor::Green.on_default()),
            Self::Warning => ("!", AnsiColor::Yellow.on_default()),
            Self::Broken => ("✗", AnsiColor::Red.on_default()),
        }
    }
}

// === impl Finding ===

impl Finding {
    pub(super) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Ok, found: found.into(), advice: String::new() }
    }

    pub(super) fn warning(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state: State::Warning, found: found.into(), advice: advice.into() }
    }

    pub(super) fn broken(check: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, state: State::Broken, found: found.into(), advice: advice.into() }
    }

    pub(super) fn of_settings(error: &SettingsError) -> Self {
        let said = error.to_string();
        let (found, advice) = said.split_once("\nhint: ").unwrap_or((&said, ""));
        Self::broken("settings", found, advice)
    }
}

// === impl Report ===

impl Report {
    pub(super) fn new(findings: Vec<Finding>) -> Self {
        let healthy = findings.iter().all(|finding| finding.state != State::Broken);
        Self { healthy, findings }
    }

    /// Whether nothing is broken.
    pub(super) fn healthy(&self) -> bool {
        self.healthy
    }

    pub(super) fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let column = self.findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
        for Finding { check, state, found, advice } in &self.findings {
            let (mark, style) = state.mark();
            writeln!(output, "{style}{mark}{style:#} {check:column$}  {}", printable(found))?;
            for line in advice.lines() {
                writeln!(output, "  {:column$}  → {}", "", printable(line))?;
            }
        }
        Ok(())
    }

    pub(super) fn write_json(&self, output: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *output, self)?;
        writeln!(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Vec<Finding> {
        vec![
            Finding::ok("server", "MLflow 3.17.2"),
            Finding::warning("http port", "in use", "stop it"),
            Finding::broken("experiment", "deleted\u{1b}[2J", "restore it,\nor name another"),
        ]
    }

    #[test]
    fn given_findings_then_each_has_its_mark_and_what_to_do_stands_below() {
        let mut text = Vec::new();
        Report::new(findings()).write(&mut text).unwrap();
        let plain = anstream::adapter::strip_bytes(&text).into_vec();
        let expected = "✓ server      MLflow 3.17.2\n\
                        ! http port   in use\n              → stop it\n\
                        ✗ experiment  deleted�[2J\n              → restore it,\n              → or name another\n";
        assert_eq!(String::from_utf8(plain).unwrap(), expected);
    }

    #[test]
    fn given_findings_then_only_a_broken_one_makes_the_report_unhealthy() {
        assert!(!Report::new(findings()).healthy());
        assert!(Report::new(findings().into_iter().take(2).collect()).healthy());
    }

    #[test]
    fn given_json_then_states_are_words_and_there_is_nothing_to_do_where_all_is_well() {
        let mut text = Vec::new();
        Report::new(findings()).write_json(&mut text).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(report["healthy"], false);
        assert_eq!(
            report["findings"][0],
            serde_json::json!({"check": "server", "state": "ok", "found": "MLflow 3.17.2"})
        );
        assert_eq!(report["findings"][2]["state"], "broken");
    }
}
