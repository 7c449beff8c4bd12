/**
 * Compiles `wasm/` with wasm-pack and wasm-opt into `src/generated/`.
 *
 * wasm-pack and the wasm-bindgen command come from crates.io, into the repository's `.tools/`, when they are not there
 * yet; wasm-opt is npm's `binaryen`.
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

/** What Rust emits for this target by default, and vector instructions; wasm-opt wants to be told. */
const FEATURES = [
  "bulk-memory",
  "mutable-globals",
  "nontrapping-float-to-int",
  "sign-ext",
  "reference-types",
  "multivalue",
  "simd",
];

export function buildWasm() {
  installTool("wasm-pack", WASM_PACK);
  // The command and the library must be of one version exactly.
  installTool("wasm-bindgen", lockedVersion("wasm-bindgen"), "wasm-bindgen-cli");

  rmSync(generated, { recursive: true, force: true });
  mkdirSync(generated, { recursive: true });
  run(`${tools}/bin/wasm-pack`, [
    ...["build", "--mode", "no-install", "--no-opt", "--no-pack", "--target", "web", "--profile", "guest"],
    ...["--out-dir", packed, "--out-name", "translator", "."],
    // wasm-bindgen reads the features that the compiler used from a section that stripping would take away.
    ...["--locked", "--config", "profile.guest.strip='debuginfo'"],
    // A package is downloaded and compiled more often than it is waited for.
    ...["--config", "profile.guest.opt-level='s'"],
  ]);
  const wasm = `${generated}/translator.wasm`;
  run(process.execPath, [
    `${host}node_modules/binaryen/bin/wasm-opt`,
    ...["-O3", "--strip-debug", "--strip-producers", ...FEATURES.map((feature) => `--enable-${feature}`)],
    ...[`${packed}/translator_bg.wasm`, "-o", wasm],
  ]);
  const base64 = readFileSync(wasm).toString("base64");
  writeFileSync(`${generated}/wasm-base64.js`, `export const WASM_BASE64 =\n  "${base64}";\n`);
  writeFileSync(`${generated}/wasm-base64.d.ts`, "export declare const WASM_BASE64: string;\n");
  for (const name of ["translator.js", "translator.d.ts"]) {
    writeFileSync(`${generated}/${name}`, readFileSync(`${packed}/${name}`));
  }
  rmSync(packed, { recursive: true });
}

function installTool(command, version, crate = command) {
  const found = spawnSync(`${tools}/bin/${command}`, ["--version"], { encoding: "utf8" });
  if (found.stdout?.trim().endsWith(` ${version}`)) return;
  console.log(`installing ${crate} ${version} (once, some minutes)`);
  // Without optimisation: compiled in a third of the time, and fast enough.
  run("cargo", ["install", "--debug", crate, "--bin", command, "--version", version, "--root", tools]);
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
        // Texts are read 16 bytes at a time: every runtime that this package knows has these instructions.
        CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: "-C target-feature=+simd128",
      },
    });
  } catch (error) {
    if (error.code === "ENOENT")
      throw new Error(`${command} is not installed: the build needs Rust (https://rustup.rs)`);
    throw error;
  }
}

export function wasmIsBuilt() {
  return existsSync(`${generated}/translator.wasm`);
}
