/** A headless Chromium of this machine, and pages of it that look the same on every run. */

import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { chromium } from "playwright-core";

/** The same names, in the same order, as in `setup.sh`. */
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** What MLflow's UI remembers of a user who has closed its two introductions. */
const REMEMBERED = {
  "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
  "mlflow.assistant.panelOpen_v1": "false",
  "mlflow.detectIssues.guidanceShown_v1": "true",
};

export async function openBrowser({ width = 1500, height = 1400 } = {}) {
  // Chromium's own sandbox needs user namespaces or a setuid helper; root in a container has neither.
  const browser = await chromium.launch({
    executablePath: executable(),
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server"],
  });
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: "light" });
  // A page takes a second; what else a machine does may make it many.
  page.setDefaultTimeout(90_000);
  await page.addInitScript((entries) => {
    for (const [key, value] of Object.entries(entries)) localStorage.setItem(key, value);
  }, REMEMBERED);
  return { page, close: () => browser.close() };
}

function executable() {
  const names = [process.env.CHROMIUM_BIN, process.env.CHROMIUM, ...NAMES].filter(Boolean);
  const folders = (process.env.PATH ?? "").split(delimiter);
  const paths = names.flatMap((name) => (isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name))));
  const found = paths.find(isExecutable);
  if (!found) throw new Error("no Chromium: run `make setup-browser`, or name one in CHROMIUM_BIN");
  return found;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
