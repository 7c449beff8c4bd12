//! The state of one instance: its two buffers and its bridges.

use std::cell::RefCell;
use std::collections::BTreeMap;

use openinference_mlflow_translator::Bridge;

/// A buffer that has grown beyond this gives its memory back after use.
const KEEP: usize = 1024 * 1024;

/// What one instance remembers between calls. WebAssembly instances are single-threaded, so there is one.
#[derive(Debug, Default)]
pub(crate) struct Instance {
    /// Where the caller writes.
    input: Vec<u8>,
    /// Where the last answer is.
    output: Vec<u8>,
    /// Open bridges by handle. Handles are never used twice.
    pub(crate) bridges: BTreeMap<u32, Bridge>,
    pub(crate) last_handle: u32,
}

thread_local! {
    static INSTANCE: RefCell<Instance> = RefCell::default();
}

/// Makes room for `length` bytes of input, and returns where.
pub(crate) fn input(length: u32) -> *const u8 {
    INSTANCE.with_borrow_mut(|instance| {
        instance.input.clear();
        instance.input.resize(length as usize, 0);
        instance.input.as_ptr()
    })
}

/// Runs a call on the input that was written, and returns where its answer is.
pub(crate) fn answer(call: impl FnOnce(&mut Instance, &[u8], &mut Vec<u8>)) -> *const u8 {
    INSTANCE.with_borrow_mut(|instance| {
        let mut input = std::mem::take(&mut instance.input);
        let mut output = std::mem::take(&mut instance.output);
        call(instance, &input, &mut output);
        input.clear();
        input.shrink_to(KEEP);
        output.shrink_to(KEEP);
        instance.input = input;
        instance.output = output;
        instance.output.as_ptr()
    })
}
