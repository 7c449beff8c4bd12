//! The translator as a WebAssembly component, ready for any runtime that speaks the component model.
//!
//! The bytes implement the world `translator` of `wit/translator.wit` and import nothing: the build fails otherwise.
//! A Rust program that embeds the component depends on this crate, so that it is built and encoded in one place.

#![forbid(unsafe_code)]

/// A WebAssembly component, in its binary format.
pub const COMPONENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/translator.wasm"));
