/** Package managers that lay out packages in ways of their own: the tarball, installed and run by each. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { setUps } from "../set-ups.mjs";
import { startMlflowMock } from "../support/mlflow-mock.mjs";
import { run } from "../support/run.mjs";
import { prepare } from "./work.mjs";

const host = fileURLToPath(new URL("../..", import.meta.url));

/** Arguments of Node: to install what the lock file has, to add a tarball, to run a script. */
const MANAGERS = {
  pnpm(tools, scratch) {
    const pnpm = join(tools, "node_modules/pnpm/bin/pnpm.cjs");
    const store = ["--ignore-scripts", "--store-dir", join(scratch, "store")];
    return {
      folder: "pnpm",
      install: [pnpm, "install", "--frozen-lockfile", ...store],
      add: (tarball) => [pnpm, "add", ...store, `file:${tarball}`],
      run: (script) => [script],
    };
  },
  "Yarn, Plug'n'Play"(tools) {
    const yarn = join(tools, "node_modules/@yarnpkg/cli-dist/bin/yarn.js");
    return {
      folder: "yarn-pnp",
      install: [yarn, "install", "--immutable"],
      add: (tarball) => [yarn, "add", `openinference-mlflow@file:${tarball}`],
      run: (script) => [yarn, "node", script],
    };
  },
};

let mock;
let scratch;
let tools;
let tarball;
before(async () => {
  mock = await startMlflowMock();
  // Outside of this repository, or Node would find what is installed here.
  scratch = mkdtempSync(join(tmpdir(), "package-managers-"));
  tools = prepare("package-managers");
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", scratch];
  tarball = join(scratch, execFileSync("npm", pack, { cwd: host, encoding: "utf8" }).trim());
});
after(async () => {
  await mock.stop();
  rmSync(scratch, { recursive: true, force: true });
});

for (const { name } of setUps("apps/package-managers.test.mjs")) {
  test(`${name}: the tarball installs beside the SDK, and delivers`, async () => {
    const manager = MANAGERS[name](tools, scratch);
    const folder = join(scratch, manager.folder);
    cpSync(join(tools, manager.folder), folder, { recursive: true });
    cpSync(join(tools, "app.mjs"), join(folder, "app.mjs"));
    // Yarn has a default of its own.
    const registry = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim();
    const env = { CI: "true", YARN_NPM_REGISTRY_SERVER: registry, MLFLOW_TRACKING_URI: mock.uri(manager.folder) };
    const node = async (args, more = {}) => {
      const options = { cwd: folder, limitMillis: 300_000, env: { ...env, ...more } };
      const { code, stdout, stderr } = await run(process.execPath, args, options);
      assert.equal(code, 0, stdout + stderr);
      return stdout;
    };
    await node(manager.install);
    // Here Yarn may write its lock file.
    await node(manager.add(tarball), { YARN_ENABLE_IMMUTABLE_INSTALLS: "false" });
    assert.equal(JSON.parse(await node(manager.run("app.mjs"))).delivered, 2);
    const spans = mock.spans(manager.folder);
    const [root, child] = ["root", "child"].map((each) => spans.find((span) => span.name === each));
    assert.equal(child.parentSpanId, root.spanId);
  });
}
