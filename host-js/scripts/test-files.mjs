/** The test files, by the command that runs them. */

const below = (names) => names.map((name) => `${name}.test.mjs`);

/** `npm run test:quick`, and `npm test` as well. */
export const QUICK = below([
  ...["golden", "examples", "docs", "environments", "autolog", "options", "resources", "datadog", "edge", "snapshot"],
  ...["delivery", "worker", "tls", "exits"],
]);

/** `npm test`. */
export const MORE = below([
  ...[
    "package",
    "bundlers/bundlers",
    "runners/runners",
    "matrix/order",
    "runtimes/runtimes",
    "runtimes/workerd",
    "e2e/e2e",
    "databricks",
  ],
]);

/** `make apps`: builds that take minutes. */
export const APPS = below(["apps/typescript", "apps/package-managers", "apps/express", "apps/next"]);
