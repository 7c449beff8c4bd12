//! Exports the interface `delivery`.

use std::cell::RefCell;

use openinference_mlflow_translator as translator;

use crate::Component;
use crate::bindings::exports::openinference_mlflow::translator::delivery::{
    Accepted, Answer, Bridge, Context, Event, Guest, GuestBridge, Instant, Rejection, Request, Stats,
};

impl Guest for Component {
    type Bridge = SharedBridge;
}

/// A bridge as WIT has it, whose methods take no exclusive reference. No method calls another, so no borrow can fail.
pub(crate) struct SharedBridge(RefCell<translator::Bridge>);

impl GuestBridge for SharedBridge {
    fn open(settings: String) -> Result<Bridge, String> {
        let bridge = translator::Bridge::open(&settings).map_err(|invalid| invalid.to_string())?;
        Ok(Bridge::new(Self(RefCell::new(bridge))))
    }

    fn ingest(&self, payload: Vec<u8>, context: Context, now: Instant) -> Result<Accepted, Rejection> {
        let accepted = self.0.borrow_mut().ingest(&payload, &context.into(), now)?;
        Ok(accepted.into())
    }

    fn poll(&self, now: Instant) -> Vec<Request> {
        self.0.borrow_mut().poll(now).into_iter().map(Into::into).collect()
    }

    fn complete(&self, request: u64, answer: Answer, now: Instant) {
        self.0.borrow_mut().complete(request, &answer.into(), now);
    }

    fn events(&self) -> Vec<Event> {
        self.0.borrow_mut().events().into_iter().map(Into::into).collect()
    }

    fn next_wakeup(&self) -> Option<Instant> {
        self.0.borrow().next_wakeup()
    }

    fn flush(&self, now: Instant) {
        self.0.borrow_mut().flush(now);
    }

    fn stats(&self) -> Stats {
        self.0.borrow().stats().into()
    }
}
