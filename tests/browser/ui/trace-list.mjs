/** MLflow's list of an experiment's traces: the text of the cells, by trace and by the heading of their column. */

/** The list draws the rows that fit the window, so the window is made to fit the list. */
const SIZE = { width: 1800, height: 5_000 };
const PER_PAGE = 100;

export async function readList(page, uri, experimentId, count) {
  const before = page.viewportSize();
  await page.setViewportSize(SIZE);
  // Without it the list shows the last seven days; the captured payloads are older.
  await page.goto(`${uri}/#/experiments/${experimentId}/traces?startTimeLabel=ALL`);
  await page.getByRole("combobox", { name: "Rows per page" }).click();
  await page.getByRole("option", { name: String(PER_PAGE), exact: true }).click();
  // The first row is the heading.
  await page.getByRole("row").nth(count).waitFor();
  const rows = await page.evaluate(() => {
    const words = (node) => node.textContent.replace(/\s+/g, " ").trim();
    const headings = [...document.querySelectorAll("[role=columnheader]")].map(words);
    return [...document.querySelectorAll("[role=row]")].flatMap((row) => {
      const link = row.querySelector('[aria-label^="Open trace tr-"]');
      if (!link) return [];
      const [id] = link.getAttribute("aria-label").match(/tr-[0-9a-f]+/);
      const cells = [...row.querySelectorAll(":scope > [role=cell]")].map(words);
      return [[id, Object.fromEntries(headings.map((heading, index) => [heading, cells[index]]))]];
    });
  });
  await page.setViewportSize(before);
  return new Map(rows);
}
