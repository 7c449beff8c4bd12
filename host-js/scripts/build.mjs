/**
 * `npm run build`: WebAssembly, bundles and types into `dist/`. `--keep-wasm` keeps WebAssembly from an earlier build.
 *
 * | file | for |
 * |---|---|
 * | `index.js`, `index.cjs` | Node, Bun, Deno and their bundlers, as an ES module and as CommonJS |
 * | `browser.js`, `edge-light.js`, `workerd.js` | one ES module each, without Node's modules |
 * | `register.cjs`, `register.js` | `--require` and `--import` |
 * | `translator-text.cjs`, `worker-source.cjs` | data that `index.js`, `index.cjs` and `browser.js` share |
 * | `translator.wasm` | edge runtimes |
 * | `types/`, `types-cjs/` | the declarations that `index.d.ts` reaches |
 */

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { buildWasm, wasmIsBuilt } from "./build-wasm.mjs";

const host = fileURLToPath(new URL("..", import.meta.url));
process.chdir(host);

if (!process.argv.includes("--keep-wasm") || !wasmIsBuilt()) buildWasm();
rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");

const API = "@opentelemetry/api";
const common = {
  absWorkingDir: host,
  ...{ bundle: true, target: "es2022", legalComments: "none", logLevel: "warning", outdir: "dist" },
  // Names stay, so that stack traces can be read.
  ...{ minifyWhitespace: true, minifySyntax: true },
};
const node = { ...common, platform: "node", target: "node18.19", plugins: [shareData()] };

await buildData();

await esbuild.build({
  ...node,
  format: "esm",
  entryPoints: [{ in: "src/entry.ts", out: "index" }],
  external: [API],
});
await esbuild.build({
  ...node,
  format: "cjs",
  entryPoints: [{ in: "src/entry.ts", out: "index" }],
  outExtension: { ".js": ".cjs" },
  external: [API],
  // wasm-bindgen's asynchronous loader mentions it. Nothing here calls that loader.
  define: { "import.meta.url": "undefined" },
});
await esbuild.build({
  ...node,
  format: "cjs",
  entryPoints: [{ in: "src/register-cjs.ts", out: "register" }],
  outExtension: { ".js": ".cjs" },
  external: [API, "./index.cjs"],
});
writeFileSync("dist/register.js", 'import { autolog } from "./index.js";\n\nautolog();\n');

for (const [name, platform, wasm] of [
  ["browser", "web", undefined],
  ["edge-light", "web", "./translator.wasm?module"],
  ["workerd", "workerd", "./translator.wasm"],
]) {
  await esbuild.build({
    ...common,
    platform: "neutral",
    // For fflate.
    mainFields: ["module", "main"],
    format: "esm",
    entryPoints: [{ in: "src/entry.ts", out: name }],
    external: [API, "node:*"],
    plugins: [shareData(), usePlatform(platform, wasm)],
  });
}
copyFileSync("src/generated/translator.wasm", "dist/translator.wasm");
copyFileSync("../LICENSE", "LICENSE");
buildTypes();
reportSize();

/**
 * The WebAssembly and the worker's source as scripts that set a global variable: such a file is the same in an ES module,
 * in CommonJS and in every bundler, so that the package needs only one of each.
 */
async function buildData() {
  const wasm = deflateRawSync(readFileSync("src/generated/translator.wasm"), { level: 9 }).toString("base64");
  writeData("translator-text", "openinference-mlflow.translator", wasm);
  const { outputFiles } = await esbuild.build({
    ...common,
    ...{ platform: "node", target: "node18.19", format: "cjs", minify: true, write: false },
    entryPoints: ["src/translator/worker-entry.ts"],
    define: { "import.meta.url": "undefined" },
    // The thread gets the WebAssembly from the main thread.
    plugins: [
      {
        name: "no-data",
        setup: (build) =>
          build.onResolve({ filter: /generated.*\.cjs$/ }, () => ({ external: true, sideEffects: false })),
      },
    ],
  });
  writeData("worker-source", "openinference-mlflow.worker", outputFiles[0].text);
}

function writeData(file, key, text) {
  writeFileSync(`dist/${file}.cjs`, `globalThis[Symbol.for("${key}")]=${JSON.stringify(text)};\n`);
}

/** Leaves the data in files of its own. */
function shareData() {
  return {
    name: "share-data",
    setup(build) {
      build.onResolve({ filter: /generated\/(translator-text|worker-source)\.cjs$/ }, ({ path }) => ({
        path: `./${path.split("/").at(-1)}`,
        external: true,
        sideEffects: true,
      }));
    },
  };
}

/** Replaces `platform/node.ts`. `wasm` is the name by which the runtime imports a compiled module. */
function usePlatform(platform, wasm) {
  return {
    name: "use-platform",
    setup(build) {
      build.onResolve({ filter: /\/platform\/node\.js$/ }, () => ({ path: join(host, `src/platform/${platform}.ts`) }));
      if (!wasm) return;
      build.onResolve({ filter: /^\.\/module\.js$/ }, () => ({ path: join(host, "src/translator/module-edge.ts") }));
      build.onResolve({ filter: /\.wasm$/ }, () => ({ path: wasm, external: true }));
    },
  };
}

/** Declarations twice: in a folder of ES modules and in one of CommonJS modules. */
function buildTypes() {
  const all = "dist/all-types";
  execFileSync(
    process.execPath,
    [
      ...["node_modules/typescript/bin/tsc", "--declaration", "--emitDeclarationOnly", "--stripInternal"],
      ...["--outDir", all],
    ],
    { stdio: "inherit" },
  );
  const wanted = new Set();
  const visit = (file) => {
    if (wanted.has(file)) return;
    wanted.add(file);
    for (const [, specifier] of readFileSync(file, "utf8").matchAll(/from "(\.[^"]+)\.js"/g)) {
      visit(`${join(dirname(file), specifier)}.d.ts`);
    }
  };
  visit(`${all}/index.d.ts`);
  visit(`${all}/register.d.ts`);
  for (const [folder, type] of [
    ["types", "module"],
    ["types-cjs", "commonjs"],
  ]) {
    for (const file of wanted) {
      const target = join("dist", folder, relative(all, file));
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(file, target);
    }
    writeFileSync(join("dist", folder, "package.json"), `{ "type": "${type}" }\n`);
  }
  rmSync(all, { recursive: true });
}

function reportSize() {
  for (const file of readdirSync("dist").filter((name) => /\.(c?js|wasm)$/.test(name))) {
    const bytes = readFileSync(`dist/${file}`);
    if (bytes.length === 0) throw new Error(`the build wrote an empty dist/${file}`);
    console.log(`${file} ${Math.ceil(bytes.length / 1024)} KB, ${Math.ceil(gzipSync(bytes).length / 1024)} KB gzipped`);
  }
}
