//! The requests under way: performed beside the bridge's thread, their answers collected for it.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::runtime;
use tokio::task::{Id, JoinError, JoinSet};

use crate::exporter::Destination;
use crate::wasm::{Answer, Request};

/// The requests under way.
pub(super) struct Requests<D> {
    destination: Arc<D>,
    runtime: runtime::Handle,
    tasks: JoinSet<Answer>,
    ids: HashMap<Id, u64>,
    answers: Vec<(u64, Answer)>,
}

// === impl Requests ===

impl<D: Destination> Requests<D> {
    pub(super) fn new(destination: D, runtime: runtime::Handle) -> Self {
        let destination = Arc::new(destination);
        Self { destination, runtime, tasks: JoinSet::new(), ids: HashMap::new(), answers: Vec::new() }
    }

    pub(super) fn start(&mut self, request: Request) {
        let id = request.id;
        let destination = Arc::clone(&self.destination);
        let task = self.tasks.spawn_on(async move { destination.perform(request).await }, &self.runtime);
        self.ids.insert(task.id(), id);
    }

    /// The answers that have come since the last time.
    pub(super) fn take_answers(&mut self) -> Vec<(u64, Answer)> {
        std::mem::take(&mut self.answers)
    }

    /// Breaks off all that is under way: whoever asked for it is no more.
    pub(super) fn abandon(&mut self) {
        self.tasks = JoinSet::new();
        self.ids.clear();
        self.answers.clear();
    }

    /// Completes when a request has been performed; never, when none is under way.
    pub(super) async fn next(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(finished) => self.collect(finished),
            None => std::future::pending().await,
        }
    }

    pub(super) fn collect_finished(&mut self) {
        while let Some(finished) = self.tasks.try_join_next_with_id() {
            self.collect(finished);
        }
    }

    fn collect(&mut self, finished: Result<(Id, Answer), JoinError>) {
        let (task, answer) =
            finished.unwrap_or_else(|error| (error.id(), Answer::NoAnswer(format!("the request broke off: {error}"))));
        if let Some(request) = self.ids.remove(&task) {
            self.answers.push((request, answer));
        }
    }
}
