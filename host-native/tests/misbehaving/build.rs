//! Makes the components from the contract: a dummy of it, whose functions' bodies are replaced.

#![allow(clippy::expect_used, reason = "a build script says best by its panic what is wrong")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, WorldId};

/// File name, and the body of every function as WebAssembly text.
const BEHAVIOURS: [(&str, &str); 3] = [
    ("panics.wasm", "unreachable"),
    ("hangs.wasm", "loop br 0 end unreachable"),
    ("hoards.wasm", "loop i32.const 256 memory.grow i32.const -1 i32.ne br_if 0 end unreachable"),
];

fn main() {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit");
    println!("cargo::rerun-if-changed={}", wit.display());
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit).expect("the contract is readable");
    let world = resolve.select_world(&[package], Some("translator")).expect("the contract has its world");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for (file, behaviour) in BEHAVIOURS {
        fs::write(out.join(file), component(&resolve, world, behaviour)).expect("OUT_DIR is writable");
    }
}

fn component(resolve: &Resolve, world: WorldId, behaviour: &str) -> Vec<u8> {
    let dummy = wit_component::dummy_module(resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    let text = wasmprinter::print_bytes(dummy).expect("the dummy is a module");
    assert!(text.contains("unreachable"), "the dummy's functions have other bodies than expected");
    let mut module = wat::parse_str(text.replace("unreachable", behaviour)).expect("the behaviour is valid text");
    wit_component::embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8, false)
        .expect("the module takes metadata");
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).expect("the module has metadata").encode().expect("the module implements the contract")
}
