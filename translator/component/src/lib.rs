//! The translator behind the WIT world `translator`: types change their names here, and nothing else happens.

#![cfg(target_arch = "wasm32")]

mod convert;
mod delivery;
mod translate;

/// What `wit/translator.wit` says, as Rust.
#[allow(missing_docs, unreachable_pub, rust_2018_idioms, clippy::all)]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "translator" });
}

/// Carries both interfaces.
struct Component;

bindings::export!(Component with_types_in bindings);
