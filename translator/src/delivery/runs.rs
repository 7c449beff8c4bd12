//! Runs that senders name, each asked for once.
//!
//! MLflow (3.17) takes traces for a run that it does not have, and shows them under none. So a person must be told; the
//! traces need not wait for the answer.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::answers::Verdict;
use super::batch::Address;
use crate::contract::{Level, Notice};

/// A run in a workspace.
pub type RunKey = (Option<String>, String);

/// Ids come from senders: beyond so many, all are forgotten.
const MANY: usize = 1_000;

/// The runs that were asked for.
#[derive(Debug, Default)]
pub struct Runs {
    asked: BTreeSet<RunKey>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Found {
    run: Run,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Run {
    info: Info,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Info {
    lifecycle_stage: String,
}

impl Runs {
    /// The run of an address, if nobody has asked for it; it counts as asked for from now on.
    pub fn ask(&mut self, address: &Address) -> Option<RunKey> {
        let key = (address.workspace.clone(), address.run_id.clone()?);
        if self.asked.len() >= MANY {
            self.asked.clear();
        }
        self.asked.insert(key.clone()).then_some(key)
    }

    /// What the server said of a run; returns what a person should know.
    pub fn answered(&mut self, key: &RunKey, verdict: &Verdict<'_>) -> Option<Notice> {
        let id = &key.1;
        let message = match verdict {
            Verdict::Refused { code, .. } if code == "RESOURCE_DOES_NOT_EXIST" => format!(
                "run {id} does not exist on the MLflow server: its traces are delivered, but no run lists them; name \
                 an existing run"
            ),
            Verdict::Accepted(response) => {
                let found: Found = serde_json::from_slice(&response.body).unwrap_or_default();
                if found.run.info.lifecycle_stage != "deleted" {
                    return None;
                }
                format!("run {id} is deleted: restore it (`mlflow runs restore --run-id {id}`) or name another one")
            }
            Verdict::Refused { .. } => return None,
            Verdict::Failed(_) | Verdict::Unavailable(_) => {
                self.asked.remove(key);
                return None;
            }
        };
        Some(Notice { level: Level::Warn, topic: "run", message })
    }
}
