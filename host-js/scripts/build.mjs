/**
 * `npm run build`: WebAssembly, bundles and types into `dist/`. `--keep-wasm` leaves WebAssembly that is there alone.
 *
 * | file | for |
 * |---|---|
 * | `index.cjs` | Node: the one instance |
 * | `index.js` | Node: named exports of that instance |
 * | `browser.js`, `edge-light.js`, `workerd.js` | one ES module each, without Node's modules |
 * | `register.cjs`, `register.js` | `--require` and `--import` |
 * | `types/`, `types-cjs/` | the declarations that `index.d.ts` reaches |
 */

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { buildWasm, wasmIsBuilt } from "./build-wasm.mjs";

const host = fileURLToPath(new URL("..", import.meta.url));
process.chdir(host);

if (!process.argv.includes("--keep-wasm") || !wasmIsBuilt()) buildWasm();
rmSync("dist", { recursive: true, force: true });

const common = { bundle: true, target: "es2022", legalComments: "none", logLevel: "warning", outdir: "dist" };
const API = "@opentelemetry/api";

await buildWorker();

await esbuild.build({
  ...common,
  platform: "node",
  target: "node18.19",
  format: "cjs",
  entryPoints: [{ in: "src/entry-cjs.ts", out: "index" }],
  outExtension: { ".js": ".cjs" },
  external: [API],
  // wasm-bindgen's asynchronous loader, which nothing here calls, mentions it.
  define: { "import.meta.url": "undefined" },
});
// Two small files around that instance, which therefore stays out of them.
await esbuild.build({
  ...common,
  platform: "node",
  target: "node18.19",
  format: "esm",
  entryPoints: [{ in: "src/entry-esm.ts", out: "index" }],
  external: [API, "./index.cjs"],
});
await esbuild.build({
  ...common,
  platform: "node",
  target: "node18.19",
  format: "cjs",
  entryPoints: [{ in: "src/register-cjs.ts", out: "register" }],
  outExtension: { ".js": ".cjs" },
  external: [API, "./index.cjs"],
});
writeFileSync("dist/register.js", 'import { autolog } from "./index.js";\n\nautolog();\n');

for (const [name, wasm] of [
  ["browser", undefined],
  ["edge-light", "./translator.wasm?module"],
  ["workerd", "./translator.wasm"],
]) {
  await esbuild.build({
    ...common,
    platform: "neutral",
    format: "esm",
    entryPoints: [{ in: "src/entry-bundled.ts", out: name }],
    external: [API],
    plugins: [withoutNode(wasm)],
  });
}
copyFileSync("src/generated/translator.wasm", "dist/translator.wasm");
buildTypes();
reportSize();

/** The worker thread's source, as a text for the bundles to hold. */
async function buildWorker() {
  const { outputFiles } = await esbuild.build({
    ...common,
    platform: "node",
    target: "node18.19",
    format: "cjs",
    entryPoints: ["src/translator/worker-entry.ts"],
    define: { "import.meta.url": "undefined" },
    minify: true,
    write: false,
  });
  const source = JSON.stringify(outputFiles[0].text);
  writeFileSync("src/generated/worker-source.js", `export const WORKER_SOURCE =\n  ${source};\n`);
  writeFileSync("src/generated/worker-source.d.ts", "export declare const WORKER_SOURCE: string;\n");
}

/** Puts the files for other platforms in their places; `wasm` is how the runtime names a compiled module. */
function withoutNode(wasm) {
  return {
    name: "without-node",
    setup(build) {
      build.onResolve({ filter: /\/async-storage\.js$/ }, () => ({
        path: join(host, "src/provider/async-storage-global.ts"),
      }));
      build.onResolve({ filter: /\/worker\.js$/ }, () => ({ path: join(host, "src/translator/worker-none.ts") }));
      build.onResolve({ filter: /\/https\.js$/ }, () => ({ path: join(host, "src/delivery/https-none.ts") }));
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
  const size = (file) => {
    const bytes = readFileSync(file);
    return `${file} ${Math.ceil(bytes.length / 1024)} KB, ${Math.ceil(gzipSync(bytes).length / 1024)} KB gzipped`;
  };
  console.log([size("dist/translator.wasm"), size("dist/index.cjs")].join("\n"));
  if (statSync("dist/index.cjs").size === 0) throw new Error("the build wrote an empty dist/index.cjs");
}
