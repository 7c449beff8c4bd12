/**
 * Compiles `wasm/` with wasm-pack and wasm-opt into `src/generated/`.
 *
 * If they are missing, wasm-pack and the wasm-bindgen command are installed from crates.io into the repository's
 * `.tools/`. wasm-opt comes from npm's `binaryen`.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const host = fileURLToPath(new URL("..", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const tools = `${root}.tools`;
const generated = `${host}src/generated`;
const packed = `${generated}/pkg`;

const WASM_PACK = "0.15.1";

/** What Rust emits for this target by default, and vector instructions. wasm-opt needs the list. */
const FEATURES = [
  "bulk-memory",
  "mutable-globals",
  "nontrapping-float-to-int",
  "sign-ext",
  "reference-types",
  "multivalue",
  "simd",
];

/** Compiles the WebAssembly. */
export function buildWasm() {
  installTool("wasm-pack", WASM_PACK);
  // The command and the library must have exactly the same version.
  installTool("wasm-bindgen", lockedVersion("wasm-bindgen"), "wasm-bindgen-cli");

  rmSync(generated, { recursive: true, force: true });
  mkdirSync(generated, { recursive: true });
  run(`${tools}/bin/wasm-pack`, [
    ...["build", "--mode", "no-install", "--no-opt", "--no-pack", "--target", "web", "--profile", "guest"],
    ...["--out-dir", packed, "--out-name", "translator", "."],
    // wasm-bindgen reads the features that the compiler used from a section that stripping would remove.
    ...["--locked", "--config", "profile.guest.strip='debuginfo'"],
    // The package is downloaded more often than its code is a bottleneck: optimise for size.
    ...["--config", "profile.guest.opt-level='s'"],
  ]);
  const wasm = `${generated}/translator.wasm`;
  run(process.execPath, [
    `${host}node_modules/binaryen/bin/wasm-opt`,
    ...FEATURES.map((feature) => `--enable-${feature}`),
    // Sorted by name, the copies of a generic function lie side by side, where gzip finds them.
    ...["-O3", "--reorder-functions-by-name", "--strip-debug", "--strip-producers"],
    ...[`${packed}/translator_bg.wasm`, "-o", wasm],
  ]);
  for (const name of ["translator.js", "translator.d.ts"]) {
    writeFileSync(`${generated}/${name}`, readFileSync(`${packed}/${name}`));
  }
  rmSync(packed, { recursive: true });
}

function installTool(command, version, crate = command) {
  const found = spawnSync(`${tools}/bin/${command}`, ["--version"], { encoding: "utf8" });
  if (found.stdout?.trim().endsWith(` ${version}`)) return;
  console.log(`installing ${crate} ${version} (once, some minutes)`);
  // Without optimisation and debug information: compiled in a quarter of the time, and fast enough.
  const flags = ["--debug", "--config", "profile.dev.debug=false"];
  run("cargo", ["install", ...flags, crate, "--bin", command, "--version", version, "--root", tools]);
}

/** The version of a crate in the workspace's lock file. */
function lockedVersion(crate) {
  const lock = readFileSync(`${root}Cargo.lock`, "utf8");
  const version = lock.match(new RegExp(`name = "${crate}"\\nversion = "([^"]+)"`))?.[1];
  if (!version) throw new Error(`Cargo.lock does not name ${crate}: run cargo build once`);
  return version;
}

function run(command, args) {
  try {
    execFileSync(command, args, {
      cwd: `${host}wasm`,
      stdio: "inherit",
      env: {
        ...process.env,
        PATH: `${tools}/bin:${process.env.PATH}`,
        // Texts are read 16 bytes at a time. Every supported runtime has these instructions.
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: "-C target-feature=+simd128",
      },
    });
  } catch (error) {
    if (error.code === "ENOENT")
      throw new Error(`${command} is not installed: the build needs Rust (https://rustup.rs)`);
    throw error;
  }
}

/** Whether there is WebAssembly from an earlier build. */
export function wasmIsBuilt() {
  return existsSync(`${generated}/translator.wasm`);
}
