//! Compiles the component for the target of this build.

use std::path::PathBuf;
use std::{env, fs};

use openinference_mlflow_component_encoded::COMPONENT;
use wasmtime::{Engine, Result};

#[allow(unreachable_pub, missing_docs, reason = "the library exports it")]
#[path = "src/config.rs"]
mod config;

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=src/config.rs");
    let mut config = config::config();
    config.target(&env::var("TARGET")?)?;
    let code = Engine::new(&config)?.precompile_component(COMPONENT)?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("translator.cwasm"), code)?;
    Ok(())
}
