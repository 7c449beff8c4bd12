//! A request body that reserves memory for its bytes as they arrive, before decompression.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tonic::Status;

use crate::receiver::budget::Reservation;
use crate::receiver::refusal::Refusal;

/// The memory reservation of one request, shared by the code that reads it and the code that decompresses it.
#[derive(Debug, Clone)]
pub(super) struct Meter(Arc<Mutex<Count>>);

#[derive(Debug)]
struct Count {
    reservation: Reservation,
    refused: bool,
}

/// A body that fails when its bytes exceed the limit.
#[derive(Debug)]
pub(super) struct Metered {
    body: Body,
    meter: Meter,
}

// === impl Meter ===

impl Meter {
    pub(super) fn new(reservation: Reservation) -> Self {
        Self(Arc::new(Mutex::new(Count { reservation, refused: false })))
    }

    /// Reserves more bytes.
    pub(super) fn grow(&self, bytes: usize) -> Result<(), Refusal> {
        let mut count = self.0.lock();
        let grown = count.reservation.grow(bytes);
        count.refused |= grown.is_err();
        grown
    }

    /// Whether a reservation was refused.
    pub(super) fn has_refused(&self) -> bool {
        self.0.lock().refused
    }
}

// === impl Metered ===

impl Metered {
    pub(super) fn new(body: Body, meter: Meter) -> Self {
        Self { body, meter }
    }
}

impl HttpBody for Metered {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(Status::from_error(Box::new(error))))),
            None => return Poll::Ready(None),
        };
        let counted = frame.data_ref().map_or(Ok(()), |data| self.meter.grow(data.len()));
        Poll::Ready(Some(counted.map(|()| frame).map_err(|refusal| refusal.status())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
