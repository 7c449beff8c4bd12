/** `npm run screenshots`: takes the pictures of README.md and docs/mapping.md anew; with names, only those. */

import { fileURLToPath } from "node:url";
import { openBrowser } from "./support/chromium.mjs";
import { storeTranslated } from "./support/store.mjs";
import { TracePage } from "./ui/trace-page.mjs";
import { PAYLOADS } from "./ui-session.mjs";

const FOLDER = fileURLToPath(new URL("../../.github/", import.meta.url));
const SIZE = { width: 1280, height: 720 };
/** How long MLflow takes at most to draw a tooltip. */
const DRAWN_WITHIN_MILLIS = 1_000;

/** Regions of MLflow's pages in a window of this size; each picture has its own height. */
const LIST = { x: 206, y: 12, width: 1058 };
const TRACE = { x: 128, y: 0, width: 1152 };
const SPANS = { x: 128, y: 48, width: 289 };
const SPAN = { x: 417, y: 48, width: 863 };

/**
 * `show` prepares the page of the span; without it, the page shows inputs and outputs. A picture without a span is of the
 * list of traces.
 */
const PICTURES = [
  { name: "mlflow-trace", payload: "py_langchain_agent.pb", span: "ChatOpenAI", region: TRACE, height: 720 },
  { name: "mlflow-span-types", payload: "hand_kinds_all.pb", span: "root", show: () => {}, region: SPANS, height: 630 },
  {
    name: "mlflow-documents",
    payload: "py_langchain_retrieval.pb",
    span: "VectorStoreRetriever",
    region: TRACE,
    height: 450,
  },
  {
    name: "mlflow-tokens",
    payload: "py_hb_llm_full.pb",
    span: "ChatCompletion",
    show: ({ page }) => page.getByText("150 tokens").last().hover(),
    region: SPAN,
    height: 250,
  },
  { name: "mlflow-list", region: LIST, height: 556 },
  {
    name: "mlflow-tags",
    payload: "py_openai_context.pb",
    span: "ChatCompletion",
    show: ({ page }) => page.getByText("7 tags").hover(),
    region: SPAN,
    height: 258,
  },
  {
    name: "mlflow-feedback",
    payload: "hand_feedback_inline.pb",
    span: "generate",
    show: openFeedback,
    region: TRACE,
    height: 612,
  },
  {
    name: "mlflow-repairs",
    payload: "hand_not_finite.pb",
    span: "damaged",
    show: ({ page }) => page.getByRole("tab", { name: "Attributes" }).click(),
    region: SPAN,
    height: 614,
  },
];

const asked = process.argv.slice(2);
const pictures = PICTURES.filter(({ name }) => asked.length === 0 || asked.includes(name));
const payloads = new Set(pictures.flatMap(({ payload }) => payload ?? PAYLOADS));
const store = await storeTranslated("weather", [...payloads]);
let browser;
try {
  browser = await openBrowser(SIZE);
  const traces = new TracePage(browser.page, store.uri, store.translated.experimentId);
  for (const picture of pictures) {
    await (picture.span ? openSpan(traces, picture) : openList(traces));
    const clip = { ...picture.region, height: picture.height };
    await browser.page.screenshot({ path: `${FOLDER}${picture.name}.png`, clip });
  }
} finally {
  await browser?.close();
  await store.stop();
}

/** Of several spans of a name the last one, which has the most to show. */
async function openSpan(traces, { payload, span, show = (page) => page.read() }) {
  const found = store.translated.traces[payload].flatMap((trace) =>
    trace.spans.filter(({ name }) => name === span).map(({ id }) => ({ trace: trace.id, span: id })),
  );
  const last = found.at(-1);
  await traces.open(last.trace, last.span);
  await show(traces);
  await traces.page.waitForTimeout(DRAWN_WITHIN_MILLIS);
}

async function openList({ page, base }) {
  // Else the list has the traces of the last seven days.
  await page.goto(`${base}?startTimeLabel=ALL`);
  await page.getByRole("row").nth(20).waitFor();
}

/** The pane of assessments, and in it everything about one of them. */
async function openFeedback({ page }) {
  await page.getByRole("button", { name: "Assess" }).click();
  const toggle = page.locator("[data-component-id$=toggle-assessment-expanded]");
  const named = page.getByText("hallucination", { exact: true });
  await page.locator("div", { has: named }).filter({ has: toggle }).last().locator(toggle).click();
}
