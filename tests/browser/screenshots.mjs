/** `npm run screenshots`: takes the README's pictures anew. */

import { fileURLToPath } from "node:url";
import { UiSession } from "./ui-session.mjs";

const FOLDER = fileURLToPath(new URL("../../.github/", import.meta.url));
const SIZE = { width: 1280, height: 720 };
const RETRIEVAL = "py_langchain_retrieval.pb";

const session = await UiSession.start();
try {
  const page = session.browser.page;
  await page.setViewportSize(SIZE);
  const agent = session.spans("translated", "py_langchain_agent.pb").filter(([, span]) => span.kind === "LLM");
  await take("mlflow-trace.png", ...agent.at(-1));
  await take("mlflow-documents.png", ...session.named("translated", RETRIEVAL, "VectorStoreRetriever"));
  await page.goto(session.pages.translated.base);
  await page.getByRole("row").nth(20).waitFor();
  await page.screenshot({ path: `${FOLDER}mlflow-list.png` });

  async function take(name, trace, span) {
    await session.pages.translated.open(trace.id, span.id);
    await session.pages.translated.read();
    await session.pages.translated.screenshot(`${FOLDER}${name}`);
  }
} finally {
  await session.stop();
}
