//! An embedder of the plain module: Rust and wasmi, an interpreter.
//!
//!     cargo run --release -- MODULE PAIRS

use std::error::Error;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wasmi::{Engine, Instance, Linker, Memory, Module, Store, WasmParams};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct Translator {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

impl Translator {
    fn new(wasm: &[u8]) -> Result<Self> {
        let engine = Engine::default();
        let mut store = Store::new(&engine, ());
        // The module imports nothing: the linker is empty.
        let instance = Linker::new(&engine).instantiate_and_start(&mut store, &Module::new(&engine, wasm)?)?;
        let memory = instance.get_memory(&store, "memory").ok_or("no memory")?;
        let abi = instance.get_typed_func::<(), i32>(&store, "abi")?.call(&mut store, ())?;
        if abi != 1 {
            return Err(format!("this program knows ABI 1, the module has {abi}").into());
        }
        Ok(Self { store, instance, memory })
    }

    /// Calls an export, with an input frame if there is one. Returns the answer: `{"ok": …}` or `{"err": …}`, and bytes.
    fn call(
        &mut self,
        name: &str,
        arguments: impl WasmParams,
        input: Option<(Value, &[u8])>,
    ) -> Result<(Value, Vec<u8>)> {
        if let Some((json, bytes)) = input {
            let json = json.to_string();
            let lengths = [json.len() as u32, bytes.len() as u32].map(u32::to_le_bytes).concat();
            let frame = [&lengths, json.as_bytes(), bytes].concat();
            let input = self.instance.get_typed_func::<i32, i32>(&self.store, "input")?;
            // wasmi returns signed numbers; pointers are unsigned.
            let pointer = input.call(&mut self.store, frame.len() as i32)? as u32 as usize;
            self.memory.write(&mut self.store, pointer, &frame)?;
        }
        let function = self.instance.get_typed_func::<_, i32>(&self.store, name)?;
        let pointer = function.call(&mut self.store, arguments)? as u32 as usize;
        let answer = &self.memory.data(&self.store)[pointer..];
        let length = |at: usize| u32::from_le_bytes(answer[at..at + 4].try_into().unwrap()) as usize;
        let (json, bytes) = answer[8..8 + length(0) + length(4)].split_at(length(0));
        Ok((serde_json::from_slice(json)?, bytes.to_vec()))
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let mut translator = Translator::new(&std::fs::read(&arguments[1])?)?;
    let pairs: Vec<Value> = serde_json::from_slice(&std::fs::read(&arguments[2])?)?;
    for pair in &pairs {
        let payload = std::fs::read(pair["payload"].as_str().ok_or("no payload")?)?;
        let encodings = json!({ "from": pair["encoding"], "to": "protobuf" });
        let (answer, bytes) = translator.call("translate", (), Some((encodings, &payload)))?;
        let (expected, found) = if let Some(error) = answer.get("err") {
            (&pair["malformed"], error["reason"].as_str().unwrap_or_default().to_owned())
        } else {
            let place = |at: usize| answer["ok"]["payload"][at].as_u64().unwrap() as usize;
            let digest = Sha256::digest(&bytes[place(0)..place(0) + place(1)]);
            (&pair["sha256"], digest.iter().map(|byte| format!("{byte:02x}")).collect())
        };
        if *expected != found {
            return Err(format!("{}: {found}", pair["payload"]).into());
        }
    }
    println!("{} pairs", pairs.len());
    Ok(())
}
