//! The requests in flight. They run beside the driver's thread, which collects their answers.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::runtime;
use tokio::task::{Id, JoinError, JoinSet};

use crate::exporter::Destination;
use crate::wasm::{Answer, Request};

/// The requests in flight.
pub(super) struct InFlight<D> {
    destination: Arc<D>,
    runtime: runtime::Handle,
    tasks: JoinSet<Answer>,
    ids: HashMap<Id, u64>,
    answers: Vec<(u64, Answer)>,
}

// === impl Requests ===

impl<D: Destination> InFlight<D> {
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

    /// The answers since the last call.
    pub(super) fn take_answers(&mut self) -> Vec<(u64, Answer)> {
        std::mem::take(&mut self.answers)
    }

    /// Cancels all requests: the instance that made them is gone.
    pub(super) fn cancel_all(&mut self) {
        self.tasks = JoinSet::new();
        self.ids.clear();
        self.answers.clear();
    }

    /// Completes when a request has ended; never if none is in flight.
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
        let (task, answer) = finished
            .unwrap_or_else(|error| (error.id(), Answer::NoAnswer(format!("the request was aborted: {error}"))));
        if let Some(request) = self.ids.remove(&task) {
            self.answers.push((request, answer));
        }
    }
}
