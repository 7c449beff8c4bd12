//! Components that implement the world `translator` of `wit/translator.wit`, and in which every function does the same
//! wrong thing.

#![forbid(unsafe_code)]

/// Every call panics.
pub const PANICS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/panics.wasm"));

/// No call returns.
pub const HANGS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hangs.wasm"));

/// Every call takes memory until it gets none, and panics then.
pub const HOARDS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hoards.wasm"));
