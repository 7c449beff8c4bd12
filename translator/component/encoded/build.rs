//! Builds `translator/component` for WebAssembly and encodes it as a component with no imports.
//!
//! Cargo cannot build a dependency for another target, so this calls cargo again: with a target directory of its own
//! (the outer cargo holds the lock of the shared one) and without the flags that were meant for the host.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, exit},
};

use wit_component::{ComponentEncoder, DecodedWasm};

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "openinference-mlflow-component";
const PROFILE: &str = "guest";

/// Texts are read 16 bytes at a time. WebAssembly 2.0 has these instructions, and so has whatever runs components.
const FEATURES: &str = "-C target-feature=+simd128";

/// What the component is made from, relative to the workspace.
const SOURCES: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "wit",
    "translator/Cargo.toml",
    "translator/src",
    "translator/component/Cargo.toml",
    "translator/component/src",
];

/// Flags that the outer cargo was given for its own target; they would reach the nested one.
const HOST_FLAGS: [&str; 7] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
    "RUSTC_WORKSPACE_WRAPPER",
];

fn main() {
    let workspace = Path::new(&variable("CARGO_MANIFEST_DIR")).join("../../..");
    let out = PathBuf::from(variable("OUT_DIR"));
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", workspace.join(source).display());
    }

    require_target();
    let module = build(&workspace, &out.join("guest"));
    let component = encode(&module);
    refuse_imports(&component);
    let path = out.join("translator.wasm");
    if let Err(error) = fs::write(&path, component) {
        fail(&format!("{} cannot be written: {error}", path.display()));
    }
}

/// Rust without the WebAssembly target says "can't find crate for `core`", several times over; this says it once.
fn require_target() {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let library = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let found = library.is_ok_and(|output| {
        output.status.success() && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
    });
    if !found {
        fail(&format!("Rust has no {TARGET} target; run: rustup target add {TARGET}"));
    }
}

fn build(workspace: &Path, target_dir: &Path) -> PathBuf {
    let mut cargo = Command::new(variable("CARGO"));
    cargo
        .current_dir(workspace)
        .args(["build", "--locked", "--package", PACKAGE, "--profile", PROFILE, "--target", TARGET])
        .arg("--target-dir")
        .arg(target_dir)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", FEATURES);
    for flag in HOST_FLAGS {
        cargo.env_remove(flag);
    }
    match cargo.status() {
        Ok(status) if status.success() => {
            target_dir.join(TARGET).join(PROFILE).join(format!("{}.wasm", PACKAGE.replace('-', "_")))
        }
        Ok(status) => fail(&format!("the translator does not build for {TARGET} ({status}); its errors follow")),
        Err(error) => fail(&format!("cargo cannot be started: {error}")),
    }
}

fn encode(module: &Path) -> Vec<u8> {
    let module = match fs::read(module) {
        Ok(bytes) => bytes,
        Err(error) => fail(&format!("{} cannot be read: {error}", module.display())),
    };
    ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.validate(true).encode())
        .unwrap_or_else(|error| fail(&format!("the translator cannot be encoded as a component: {error:#}")))
}

/// A component that imports nothing runs in every runtime, and can do nothing but compute.
fn refuse_imports(component: &[u8]) {
    let (resolve, world) = match wit_component::decode(component) {
        Ok(DecodedWasm::Component(resolve, world)) => (resolve, world),
        Ok(DecodedWasm::WitPackage(..)) => fail("the encoder wrote a WIT package, not a component"),
        Err(error) => fail(&format!("the encoded component cannot be read: {error:#}")),
    };
    let world = &resolve.worlds[world];
    let imports: Vec<String> = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    if !imports.is_empty() {
        fail(&format!("the component must import nothing, but imports {}", imports.join(", ")));
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| fail(&format!("{name} is not set: cargo runs this program")))
}

fn fail(message: &str) -> ! {
    println!("cargo::error={message}");
    exit(1)
}
