/** `--require openinference-mlflow/register`: calls `autolog()` with the settings of the environment. */

import type { Api } from "./provider/api-copies.js";
import type * as Public from "./public.js";

// The instance that a CommonJS application gets, too.
const core: typeof Public = require("./index.cjs");

core.autolog();
reachEsmBuild();

/**
 * The ESM build of API 1.10 is another singleton, and the application may consist of ES modules. Before the application
 * begins, `require` can load it. Later it could meet an import in progress, which Node does not allow.
 */
function reachEsmBuild(): void {
  const { require_module: canRequireEsm } = process.features as { require_module?: boolean };
  const [esm, changes] = [require.resolve("@opentelemetry/api"), /index\.cjs$/];
  if (!canRequireEsm || !changes.test(esm)) return;
  try {
    core.useApi(require(esm.replace(changes, "index.mjs")) as Api);
  } catch {
    // An unknown layout of the package: only its CommonJS build is served.
  }
}
