//! What the compiler at build time and the runtime must agree on.

use wasmtime::Config;

/// Interruptible: compiled code compares a counter with a deadline at every function entry and loop end.
pub fn config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config
}
