/** Every bundler × output format that Node applications use. The bundle runs alone, in a folder without node_modules. */

import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { installRuntimes, runtimes } from "../runtimes/install.mjs";
import { setUps } from "../set-ups.mjs";
import { install } from "../support/install.mjs";
import { startMlflowMock } from "../support/mlflow-mock.mjs";
import { run } from "../support/run.mjs";

const folder = fileURLToPath(new URL(".", import.meta.url));
const require = createRequire(import.meta.url);
const input = join(folder, "app.mjs");

let mock;
before(async () => {
  install(folder);
  installRuntimes();
  mock = await startMlflowMock();
});
after(() => mock.stop());

/** By set-up. Each writes the bundle to a file, and returns nothing. */
const BUNDLERS = {
  async esbuild(format, outfile) {
    const { build } = await import("esbuild");
    await build({ entryPoints: [input], bundle: true, platform: "node", format, outfile, logLevel: "error" });
  },

  async "esbuild, minified, its own conditions"(format, outfile) {
    const { build } = await import("esbuild");
    const conditions = ["production"];
    await build({ entryPoints: [input], bundle: true, minify: true, platform: "node", conditions, format, outfile });
  },

  async tsup(format, outfile) {
    const { build } = await import("tsup");
    const out = join(outfile, "..");
    const noExternal = ["openinference-mlflow", "@opentelemetry/api"];
    const options = { entry: { app: input }, format: [format], platform: "node", outDir: out, noExternal };
    await build({ ...options, silent: true, config: false, dts: false });
    cpSync(join(out, format === "esm" ? "app.js" : "app.cjs"), outfile, { force: true });
  },

  async rollup(format, file) {
    const { rollup } = await import("rollup");
    const [{ default: resolve }, { default: commonjs }] = await Promise.all([
      import("@rollup/plugin-node-resolve"),
      import("@rollup/plugin-commonjs"),
    ]);
    const plugins = [resolve({ preferBuiltins: true, exportConditions: ["node"] }), commonjs()];
    const bundle = await rollup({ input, plugins, onwarn() {} });
    await bundle.write({ file, format, inlineDynamicImports: true });
  },

  async "vite SSR"(format, outfile) {
    const { build } = await import("vite");
    const [outDir, entryFileNames] = [join(outfile, ".."), outfile.split("/").at(-1)];
    await build({
      ...{ root: folder, logLevel: "error", configFile: false, ssr: { noExternal: true } },
      build: { ssr: input, outDir, emptyOutDir: false, rollupOptions: { output: { format, entryFileNames } } },
    });
  },

  async webpack(format, outfile) {
    const { default: webpack } = await import("webpack");
    const esm = format === "esm";
    const output = { path: join(outfile, ".."), filename: outfile.split("/").at(-1) };
    const compiler = webpack({
      ...{ mode: "production", target: "node", entry: input, context: folder },
      experiments: { outputModule: esm },
      output: { ...output, module: esm, ...(esm && { library: { type: "module" } }) },
    });
    const stats = await new Promise((resolve, reject) => {
      compiler.run((error, stats) => (error ? reject(error) : resolve(stats)));
    });
    assert.deepEqual(stats.toJson({ errors: true }).errors, []);
  },

  async ncc(format, outfile) {
    // ncc's format follows from the type of the nearest package.json.
    const source = mkdtempSync(join(folder, "node_modules", ".ncc-"));
    try {
      writeFileSync(`${source}/package.json`, JSON.stringify({ type: format === "esm" ? "module" : "commonjs" }));
      const text = readFileSync(input, "utf8");
      const commonjs = text.replace(/^import (\{.*\}) from (".*");$/gm, "const $1 = require($2);");
      writeFileSync(`${source}/app.js`, format === "esm" ? text : commonjs);
      await node([require.resolve("@vercel/ncc/dist/ncc/cli.js"), "build", "app.js", "-o", "out", "-q"], source);
      cpSync(existsSync(`${source}/out/index.mjs`) ? `${source}/out/index.mjs` : `${source}/out/index.js`, outfile);
    } finally {
      rmSync(source, { recursive: true });
    }
  },

  async bun(format, outfile) {
    const [bun] = runtimes.Bun;
    const flags = ["--target=node", `--format=${format}`, `--outfile=${outfile}`];
    const { code, stdout, stderr } = await run(bun, ["build", input, ...flags], { cwd: folder });
    assert.equal(code, 0, stdout + stderr);
  },
};

async function node(args, cwd) {
  const { code, stdout, stderr } = await run(process.execPath, args, { cwd });
  assert.equal(code, 0, stdout + stderr);
}

describe("a bundle", { concurrency: 2 }, () => {
  for (const { name } of setUps("bundlers/bundlers.test.mjs")) {
    const bundle = BUNDLERS[name];
    for (const [format, extension] of [
      ["esm", "mjs"],
      ["cjs", "cjs"],
    ]) {
      test(`of ${name} as ${format} delivers its spans, nested`, async () => {
        const isolated = mkdtempSync(join(tmpdir(), "bundle-"));
        try {
          const built = join(isolated, "build");
          mkdirSync(built);
          const out = join(built, `out.${extension}`);
          await bundle(format, out);
          mkdirSync(join(isolated, "run"));
          cpSync(out, join(isolated, "run", `out.${extension}`));
          const id = `${name.replaceAll(/\W/g, "-")}-${format}`;
          const { code, stdout, stderr } = await run(process.execPath, [`out.${extension}`], {
            cwd: join(isolated, "run"),
            env: { MLFLOW_TRACKING_URI: mock.uri(id) },
          });
          assert.deepEqual([code, stderr], [0, ""]);
          assert.equal(JSON.parse(stdout).delivered, 2);
          const spans = mock.spans(id);
          const [root, child] = ["root", "child"].map((each) => spans.find((span) => span.name === each));
          assert.equal(child.parentSpanId, root.spanId);
        } finally {
          rmSync(isolated, { recursive: true });
        }
      });
    }
  }
});
