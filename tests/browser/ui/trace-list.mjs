/** MLflow's list of an experiment's traces: the text of the cells, by trace and by the heading of their column. */

/** The list draws the rows that fit the window, so the window is made to fit a page of the list. */
const SIZE = { width: 1800, height: 5_000 };
const PER_PAGE = 100;
const LIMIT_MILLIS = 90_000;
const PAUSE_MILLIS = 200;

export async function readList(page, uri, experimentId, count) {
  const before = page.viewportSize();
  await page.setViewportSize(SIZE);
  // Without it the list shows the last seven days; the captured payloads are older.
  await page.goto(`${uri}/#/experiments/${experimentId}/traces?startTimeLabel=ALL`);
  await page.getByRole("combobox", { name: "Rows per page" }).click();
  await page.getByRole("option", { name: String(PER_PAGE), exact: true }).click();
  const rows = new Map();
  while (true) {
    await addPage(page, rows, Math.min(rows.size + PER_PAGE, count));
    if (rows.size >= count) break;
    await page.getByRole("button", { name: "Next page" }).click();
  }
  await page.setViewportSize(before);
  return rows;
}

/** Adds rows until there are so many. The rows of the page before may be shown for a while. */
async function addPage(page, rows, wanted) {
  const deadline = Date.now() + LIMIT_MILLIS;
  while (true) {
    for (const [id, row] of await page.evaluate(drawnRows)) rows.set(id, row);
    if (rows.size >= wanted) return;
    if (Date.now() > deadline) throw new Error(`the list shows ${rows.size} traces of ${wanted}`);
    await page.waitForTimeout(PAUSE_MILLIS);
  }
}

/** Runs in the page. */
function drawnRows() {
  const words = (node) => node.textContent.replace(/\s+/g, " ").trim();
  const headings = [...document.querySelectorAll("[role=columnheader]")].map(words);
  return [...document.querySelectorAll("[role=row]")].flatMap((row) => {
    const link = row.querySelector('[aria-label^="Open trace tr-"]');
    if (!link) return [];
    const [id] = link.getAttribute("aria-label").match(/tr-[0-9a-f]+/);
    const cells = [...row.querySelectorAll(":scope > [role=cell]")].map(words);
    return [[id, Object.fromEntries(headings.map((heading, index) => [heading, cells[index]]))]];
  });
}
