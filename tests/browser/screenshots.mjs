/** `npm run screenshots`: takes the README's pictures anew. */

import { fileURLToPath } from "node:url";
import { Looker } from "./looker.mjs";

const FOLDER = fileURLToPath(new URL("../../.github/", import.meta.url));
const SIZE = { width: 1280, height: 720 };
const RETRIEVAL = "py_langchain_retrieval.pb";

const looker = await Looker.start();
try {
  const page = looker.browser.page;
  await page.setViewportSize(SIZE);
  const agent = looker.spans("bridged", "py_langchain_agent.pb").filter(([, span]) => span.kind === "LLM");
  await take("mlflow-trace.png", ...agent.at(-1));
  await take("mlflow-documents.png", ...looker.named("bridged", RETRIEVAL, "VectorStoreRetriever"));
  await page.goto(looker.pages.bridged.base);
  await page.getByRole("row").nth(20).waitFor();
  await page.screenshot({ path: `${FOLDER}mlflow-list.png` });

  async function take(name, trace, span) {
    await looker.pages.bridged.open(trace.id, span.id);
    await looker.pages.bridged.read();
    await looker.pages.bridged.screenshot(`${FOLDER}${name}`);
  }
} finally {
  await looker.stop();
}
