/**
 * Every set-up in which a test runs this package. Tests take their cases from here, `environments.test.mjs` makes the table
 * of `docs/node-environments.md` of them.
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Set-ups of one test file.
 *
 * @param test the file, below `test/`
 * @param kind what its set-ups are, as a heading
 * @param rows name, folder of the lock file below `test/`, and the packages whose versions count (by label)
 */
function group(test, kind, rows) {
  return rows.map(([name, folder, packages]) => ({ name, kind, test, folder, packages }));
}

const same = (...names) => Object.fromEntries(names.map((name) => [name, name]));
const fixture = (name) => `matrix/fixtures/${name}`;
const API = "@opentelemetry/api";
const NODE_SDK = same("@opentelemetry/sdk-trace-node", API);

const SET_UPS = [
  ...group("runtimes/runtimes.test.mjs", "Runtimes", [
    ["Node 18.19", "runtimes", { Node: "node-18" }],
    ["Node 20", "runtimes", { Node: "node-20" }],
    ["Node 22", "runtimes", { Node: "node-22" }],
    ["Node 24", "runtimes", { Node: "node-24" }],
    ["Bun", "runtimes", { Bun: "bun" }],
    ["Deno", "runtimes", { Deno: "deno" }],
  ]),
  ...group(
    "runtimes/workerd.test.mjs",
    "Runtimes",
    ["no flag", "`nodejs_als`", "`nodejs_compat`"].map((flag) => [
      `Cloudflare Workers with ${flag}`,
      "runtimes",
      { workerd: "workerd" },
    ]),
  ),
  ...group(
    "edge.test.mjs",
    "Builds without Node",
    ["browser", "edge-light", "workerd"].map((build) => [`\`${build}.js\``, fixture("sdk-2.12"), same(API)]),
  ),
  ...group("matrix/order.test.mjs", "Providers, in every start-up order, as ES modules and as CommonJS", [
    ["no provider", fixture("sdk-2.12"), same(API)],
    ["no provider, API 1.10", fixture("sdk-3"), same(API)],
    ["no provider, two copies of the API", fixture("two-apis"), same(API)],
    ["`NodeTracerProvider` of SDK 1.30", fixture("sdk-1.30"), NODE_SDK],
    ["`addSpanProcessor` of SDK 1.30", fixture("sdk-1.30"), NODE_SDK],
    ["SDK 1.30 behind another object", fixture("sdk-1.30"), NODE_SDK],
    ["`NodeTracerProvider` of SDK 2.0", fixture("sdk-2.0"), NODE_SDK],
    ["`NodeTracerProvider` of SDK 2.12", fixture("sdk-2.12"), NODE_SDK],
    ["SDK 2.12 without a context manager", fixture("sdk-2.12"), NODE_SDK],
    ["SDK 2.12 behind another object", fixture("sdk-2.12"), NODE_SDK],
    ["a provider that is no SDK", fixture("sdk-2.12"), same(API)],
    ["SDK 2.12 and two copies of the API", fixture("two-apis"), NODE_SDK],
    ["SDK 3", fixture("sdk-3"), same("@opentelemetry/sdk-trace", API)],
    ["`NodeSDK` 0.57", fixture("node-sdk-0.57"), same("@opentelemetry/sdk-node", API)],
    ["`NodeSDK` 0.301", fixture("node-sdk-0.301"), same("@opentelemetry/sdk-node", API)],
    ["`@arizeai/phoenix-otel`", fixture("phoenix-otel"), same("@arizeai/phoenix-otel", API)],
    ["`@vercel/otel`", fixture("vercel-otel"), same("@vercel/otel", API)],
  ]),
  ...group("datadog.test.mjs", "Providers, in every start-up order, as ES modules and as CommonJS", [
    ["dd-trace", fixture("dd-trace"), same("dd-trace", API)],
  ]),
  ...group("bundlers/bundlers.test.mjs", "Bundlers, as ES modules and as CommonJS", [
    ["esbuild", "bundlers", same("esbuild")],
    ["esbuild, minified, its own conditions", "bundlers", same("esbuild")],
    ["tsup", "bundlers", same("tsup")],
    ["rollup", "bundlers", same("rollup")],
    ["vite SSR", "bundlers", same("vite")],
    ["webpack", "bundlers", same("webpack")],
    ["ncc", "bundlers", same("@vercel/ncc")],
    ["bun", "runtimes", same("bun")],
  ]),
  ...group("e2e/e2e.test.mjs", "Instrumented model clients, with a real MLflow and a real Phoenix", [
    [
      "OpenAI, Anthropic, LangChain and Bedrock",
      "e2e/app",
      same("openai", "@anthropic-ai/sdk", "@langchain/core", "@aws-sdk/client-bedrock-runtime"),
    ],
    ["AI SDK 5", "e2e/ai-sdk-5", same("ai", "@arizeai/openinference-vercel")],
    ["AI SDK 6", "e2e/ai-sdk-6", same("ai", "@arizeai/openinference-vercel")],
    ["AI SDK 7", "e2e/ai-sdk-7", same("ai", "@ai-sdk/otel", "@arizeai/openinference-vercel")],
  ]),
  ...group("runners/runners.test.mjs", "Test runners", [
    ["Vitest, child processes", "runners", same("vitest")],
    ["Vitest, threads", "runners", same("vitest")],
    ["Jest", "runners", same("jest")],
  ]),
  ...group(
    "apps/typescript.test.mjs",
    "TypeScript, in every module resolution",
    ["5.0", "5.4", "5.9"].map((version) => [
      `TypeScript ${version}`,
      "apps/typescript",
      { TypeScript: `typescript-${version}` },
    ]),
  ),
  ...group("apps/package-managers.test.mjs", "Package managers", [
    ["pnpm", "apps/package-managers", same("pnpm")],
    ["Yarn, Plug'n'Play", "apps/package-managers", { yarn: "@yarnpkg/cli-dist" }],
  ]),
  ...group("apps/express.test.mjs", "Frameworks", [
    ["Express with LangGraph", "apps/express", same("express", "@langchain/langgraph", "@langchain/core")],
  ]),
  ...group("apps/next.test.mjs", "Frameworks", [
    ["Next.js 15 with AI SDK 5, webpack", "apps/next-15", same("next", "ai", API)],
    ["Next.js 16 with AI SDK 6, Turbopack", "apps/next-16", same("next", "ai", API)],
    ["Next.js 16 with AI SDK 6, webpack", "apps/next-16", same("next", "ai", API)],
  ]),
];

/** The set-ups of a test file. */
export function setUps(test) {
  const found = SET_UPS.filter((setUp) => setUp.test === test);
  if (found.length === 0) throw new Error(`test/set-ups.mjs names none for ${test}`);
  return found;
}

export function allSetUps() {
  return SET_UPS;
}

/** The versions that a set-up's lock file names, by label. */
export function versions({ folder, packages }) {
  const lock = JSON.parse(readFileSync(fileURLToPath(new URL(`${folder}/package-lock.json`, import.meta.url)), "utf8"));
  return Object.entries(packages).map(([label, name]) => {
    const found = lock.packages[`node_modules/${name}`];
    if (!found) throw new Error(`${folder}/package-lock.json does not have ${name}`);
    return [label, found.version];
  });
}
