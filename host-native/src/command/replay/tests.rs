//! Replays to a server that takes what MLflow would take.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use tokio::net::TcpListener;

use super::*;
use crate::cli::{Cli, Command};
use crate::command::transfer::pretend_mlflow::Mlflow;
use crate::settings::{Environment, SettingsFile};

const SAMPLE: &[u8] = include_bytes!("../../../demo/langchain_rag.pb");
const OTHER: &[u8] = include_bytes!("../../../demo/openai_agents.pb");

/// A machine with these files to replay, and a data directory.
struct Machine {
    captured: TempDir,
    data: TempDir,
    uri: String,
}

impl Machine {
    fn new(uri: String, files: &[(&str, &[u8])]) -> Self {
        let machine = Self { captured: tempfile::tempdir().unwrap(), data: tempfile::tempdir().unwrap(), uri };
        for (name, contents) in files {
            fs::write(machine.path(name), contents).unwrap();
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.captured.path().join(name)
    }

    async fn replay(&self, flags: &[&str]) -> anyhow::Result<Tally> {
        let paths = self.captured.path().to_str().unwrap();
        let arguments = ["openinference-mlflow", "replay", paths, "--tracking-uri", &self.uri];
        let cli = Cli::try_from_arguments(arguments.into_iter().chain(flags.iter().copied()))?;
        let Command::Replay(args) = &cli.command else { panic!("expected replay") };
        let sources = Sources::new(Environment::from_iter([]), SettingsFile::default());
        replay(args, &sources, self.data.path()).await
    }
}

#[tokio::test]
async fn given_captured_files_then_they_are_delivered_once_and_again_only_when_asked() {
    let mlflow = Mlflow::default();
    let machine = Machine::new(mlflow.start().await, &[("a.pb", SAMPLE), ("b.pb", OTHER)]);

    let first = machine.replay(&[]).await.unwrap();
    assert_eq!((first.totals.taken, first.totals.done, first.known, first.complete()), (2, 2, 0, true));
    assert!(!mlflow.exports().is_empty());

    let second = machine.replay(&[]).await.unwrap();
    assert_eq!((second.totals.taken, second.known, second.complete()), (0, 2, true));
    assert!(mlflow.exports().is_empty());

    let third = machine.replay(&["--again"]).await.unwrap();
    assert_eq!((third.totals.taken, third.totals.done), (2, 2));
    assert!(!mlflow.exports().is_empty());
}

#[tokio::test]
async fn given_a_replay_to_another_experiment_then_everything_is_new_to_it() {
    let mlflow = Mlflow::default();
    let machine = Machine::new(mlflow.start().await, &[("a.pb", SAMPLE)]);
    machine.replay(&[]).await.unwrap();
    mlflow.exports();

    let elsewhere = machine.replay(&["--experiment-id", "3"]).await.unwrap();
    assert_eq!((elsewhere.totals.taken, elsewhere.known), (1, 0));
    let exports = mlflow.exports();
    assert!(!exports.is_empty() && exports.iter().all(|experiment| experiment == "3"), "{exports:?}");
}

#[tokio::test]
async fn given_a_damaged_file_then_the_others_are_delivered_and_the_replay_is_not_complete() {
    let mlflow = Mlflow::default();
    let torn = &SAMPLE[..SAMPLE.len() / 2];
    let machine =
        Machine::new(mlflow.start().await, &[("a.pb", torn), ("b.json", b"{\"resourceSpans\": 1"), ("c.pb", OTHER)]);
    let tally = machine.replay(&[]).await.unwrap();
    assert_eq!((tally.totals.taken, tally.totals.done, tally.unreadable, tally.complete()), (1, 1, 2, false));
    assert!(!mlflow.exports().is_empty());
}

#[tokio::test]
async fn given_nobody_who_listens_then_the_replay_says_so_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Machine::new(uri, &[("a.pb", SAMPLE)]).replay(&[]).await.unwrap_err().to_string();
    assert!(error.contains("does not answer") && error.contains("doctor"), "{error}");
}
