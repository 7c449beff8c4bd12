/** MLflow's page of one trace, read as a person reads it. */

import { readSpan } from "./read-span.mjs";

const VIEW = "model-trace-explorer-default-span-view";
const SETTLED_WITHIN_MILLIS = 5_000;
const PAUSE_MILLIS = 100;

export class TracePage {
  constructor(page, uri, experimentId) {
    this.page = page;
    this.base = `${uri}/#/experiments/${experimentId}/traces`;
  }

  /** Opens the trace, at the URL that the packages name, at one of its spans. A span that failed opens with its exception. */
  async open(traceId, spanId) {
    const url = `${this.base}?selectedEvaluationId=${traceId}`;
    if (this.page.url() !== url) await this.page.goto(url);
    await this.page.getByTestId(`timeline-tree-node-${spanId}`).click();
  }

  /** What the open span shows, once it shows the same twice. */
  async read() {
    const page = this.page;
    await page.getByRole("tab", { name: "Inputs / Outputs" }).click();
    await page.getByTestId(VIEW).waitFor();
    const tools = page.getByTestId("model-trace-explorer-tools-section-toggle");
    if ((await tools.count()) > 0 && (await tools.getAttribute("aria-expanded")) === "false") await tools.click();
    return settled(() => page.evaluate(readSpan));
  }

  /** The exception of the open span: the names of its fields, with their texts. */
  async exception() {
    await this.page.getByTestId("model-trace-explorer-exception-section-toggle").waitFor();
    return settled(() =>
      this.page.getByRole("tabpanel").evaluate((panel) => {
        const fields = [...panel.querySelectorAll("h4")].filter((title) => title.textContent.startsWith("exception."));
        const text = (title) => {
          let block = title;
          while (!block.querySelector("code")) block = block.parentElement;
          // The number of the first line precedes it.
          return block.querySelector("code").textContent.replace(/^1/, "");
        };
        return Object.fromEntries(fields.map((title) => [title.textContent.trim(), text(title)]));
      }),
    );
  }

  screenshot(path) {
    return this.page.screenshot({ path });
  }
}

/** React draws a span in one go, but loads what it draws with when it is first needed. */
async function settled(read) {
  const deadline = Date.now() + SETTLED_WITHIN_MILLIS;
  let last = await read();
  while (Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLIS));
    const now = await read();
    if (JSON.stringify(now) === JSON.stringify(last)) return now;
    last = now;
  }
  return last;
}
