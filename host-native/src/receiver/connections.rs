//! The connections of a receiver, and which one to evict when there are too many.
//!
//! Guarantees: a receiver keeps no more connections than its limit; a connection with a request in flight is never evicted; a
//! connection that never made a request is evicted before one that did, and among these the one that has been idle for
//! longest. A client that opens connections without using them evicts only its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::settings::Limits;

/// The connections of one receiver.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    limit: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    table: HashMap<u64, Arc<Activity>>,
}

/// A connection's place, released on drop.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    activity: Arc<Activity>,
    open: Arc<Mutex<Open>>,
}

/// The activity of a connection.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
    evicted: Notify,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// Requests in flight.
    requests: usize,
    /// Whether it ever made a request.
    served: bool,
    /// When the last request ended, or when the connection was opened.
    since: Instant,
}

/// A request in flight.
#[derive(Debug)]
pub(super) struct Busy(Arc<Activity>);

// === impl Connections ===

impl Connections {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, open: Arc::default() }
    }

    /// A place for one more connection, evicting another if necessary. None: every connection has a request in flight.
    pub(super) fn admit(&self) -> Option<Place> {
        let mut open = self.open.lock();
        if open.table.len() >= self.limit {
            let victim = open.most_idle()?;
            if let Some(activity) = open.table.remove(&victim) {
                activity.evicted.notify_one();
            }
        }
        let number = open.next;
        open.next += 1;
        let state = State { requests: 0, served: false, since: Instant::now() };
        let activity = Arc::new(Activity { state: Mutex::new(state), evicted: Notify::new() });
        open.table.insert(number, Arc::clone(&activity));
        Some(Place { number, activity, open: Arc::clone(&self.open) })
    }
}

impl Open {
    fn most_idle(&self) -> Option<u64> {
        let idle = self.table.iter().filter_map(|(number, activity)| {
            let state = activity.state();
            (state.requests == 0).then_some(((state.served, state.since, *number), *number))
        });
        idle.min().map(|(_, number)| number)
    }
}

// === impl Place ===

impl Place {
    pub(super) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// The connection is ready for its first request.
    pub(super) fn opened(&self) {
        self.activity.state.lock().since = Instant::now();
    }

    /// Completes when this connection is evicted.
    pub(super) async fn evicted(&self) {
        self.activity.evicted.notified().await;
    }

    /// Completes when this connection is evicted or idle for too long.
    pub(super) async fn lost(&self, limits: &Limits) {
        tokio::select! {
            () = self.evicted() => {}
            () = self.activity.overdue(limits) => {}
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.lock().table.remove(&self.number);
    }
}

// === impl Activity ===

impl Activity {
    /// A request begins; it ends when the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        let mut state = self.state.lock();
        state.requests += 1;
        state.served = true;
        Busy(Arc::clone(self))
    }

    async fn overdue(&self, limits: &Limits) {
        while let Some(wait) = self.remaining(limits) {
            tokio::time::sleep(wait).await;
        }
    }

    /// How long to wait before checking again. None: the connection has been idle for too long.
    fn remaining(&self, limits: &Limits) -> Option<Duration> {
        let state = self.state();
        if state.requests > 0 {
            return Some(limits.idle_timeout);
        }
        let limit = if state.served { limits.idle_timeout } else { limits.header_timeout };
        limit.checked_sub(state.since.elapsed()).filter(|wait| !wait.is_zero())
    }

    fn state(&self) -> State {
        *self.state.lock()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.requests -= 1;
        state.since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the connection must close now.
    async fn has_to_go(place: &Place) -> bool {
        let limits = Limits::for_bodies(1);
        tokio::select! {
            biased;
            () = place.lost(&limits) => true,
            () = std::future::ready(()) => false,
        }
    }

    fn limits() -> Limits {
        Limits {
            header_timeout: Duration::from_millis(20),
            idle_timeout: Duration::from_millis(60),
            ..Limits::for_bodies(1)
        }
    }

    #[tokio::test]
    async fn given_a_full_receiver_then_the_one_that_never_asked_goes_before_the_one_that_has_been_idle_for_longer() {
        let connections = Connections::new(2);
        let served = connections.admit().unwrap();
        drop(served.activity().begin());
        let silent = connections.admit().unwrap();
        let newcomer = connections.admit().unwrap();
        assert!(has_to_go(&silent).await && !has_to_go(&served).await && !has_to_go(&newcomer).await);
    }

    #[tokio::test]
    async fn given_connections_that_were_served_then_the_one_that_has_been_idle_for_longest_goes() {
        let connections = Connections::new(2);
        let (first, second) = (connections.admit().unwrap(), connections.admit().unwrap());
        drop(second.activity().begin());
        drop(first.activity().begin());
        let _newcomer = connections.admit().unwrap();
        assert!(has_to_go(&second).await && !has_to_go(&first).await);
    }

    #[tokio::test]
    async fn given_requests_on_every_connection_then_none_goes_and_the_next_is_refused() {
        let connections = Connections::new(1);
        let busy = connections.admit().unwrap();
        let request = busy.activity().begin();
        assert!(connections.admit().is_none());
        assert!(!has_to_go(&busy).await);
        drop(request);
        assert!(connections.admit().is_some());
    }

    #[tokio::test]
    async fn given_a_connection_that_ends_then_its_place_is_free() {
        let connections = Connections::new(1);
        let first = connections.admit().unwrap();
        let _request = first.activity().begin();
        drop(first);
        assert!(connections.admit().is_some());
    }

    #[tokio::test]
    async fn given_no_request_then_the_connection_is_lost_after_the_time_for_a_head_and_later_after_that_for_idling() {
        let connections = Connections::new(1);
        let start = Instant::now();
        let place = connections.admit().unwrap();
        place.lost(&limits()).await;
        assert!(start.elapsed() >= limits().header_timeout);
        let start = Instant::now();
        drop(place.activity().begin());
        place.lost(&limits()).await;
        assert!(start.elapsed() >= limits().idle_timeout);
    }

    #[tokio::test]
    async fn given_a_request_under_way_then_the_connection_is_not_lost_however_long_it_takes() {
        let connections = Connections::new(1);
        let place = connections.admit().unwrap();
        let _request = place.activity().begin();
        let long = limits().idle_timeout * 4;
        assert!(tokio::time::timeout(long, place.lost(&limits())).await.is_err());
    }
}
