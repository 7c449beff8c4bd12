//! Counts the bytes that the JSON reader reads on this thread: for the test that guards them (feature `meter`).

use std::cell::Cell;

thread_local! {
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

pub(super) fn add(bytes: usize) {
    BYTES.set(BYTES.get() + bytes as u64);
}

/// The bytes that were read since the last call.
pub fn take() -> u64 {
    BYTES.take()
}
