/** `--require openinference-mlflow/register`: settings by environment. */

import type * as Core from "./core.js";
import type { FullApi } from "./provider/apis.js";

// The instance that the application gets, too.
const core: typeof Core = require("./index.cjs");

core.autolog();
reachEsmBuild();

/**
 * API 1.10 has an ESM build that is a singleton of its own, and the application may be made of ES modules. Before the
 * application begins it can be loaded at once; later that could meet an import that is under way, which Node cannot
 * take.
 */
function reachEsmBuild(): void {
  const { require_module: canRequireEsm } = process.features as { require_module?: boolean };
  const [esm, changes] = [require.resolve("@opentelemetry/api"), /index\.cjs$/];
  if (!canRequireEsm || !changes.test(esm)) return;
  try {
    core.useApi(require(esm.replace(changes, "index.mjs")) as FullApi);
  } catch {
    // A layout of the package that is not known yet: its CommonJS build is served all the same.
  }
}
