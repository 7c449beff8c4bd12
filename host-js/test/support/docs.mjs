/** The code of the pages for users, so that tests run what users read. */

import { readFileSync } from "node:fs";

const pages = {
  "docs/node.md": new URL("../../../docs/node.md", import.meta.url),
  "README.md": new URL("../../README.md", import.meta.url),
};

/** Every block of code of a page, below the nearest heading before it. */
export function codeBlocks(page) {
  const text = readFileSync(pages[page], "utf8");
  const blocks = [];
  let heading = "";
  for (const [, title, language, code] of text.matchAll(/^#+ ([^\n]+)$|^```(\w+)\n(.*?)^```$/gms)) {
    if (title) heading = title;
    else blocks.push({ heading, language, code });
  }
  return blocks;
}

/** The blocks below one heading of `docs/node.md`. */
export function examples(heading) {
  const found = codeBlocks("docs/node.md").filter((block) => block.heading === heading);
  if (found.length === 0) throw new Error(`docs/node.md has no code below "${heading}"`);
  return found.map(({ code }) => code);
}

/** Replaces a part of an example, which must be there. */
export function replaced(code, part, by) {
  if (!code.includes(part)) throw new Error(`the example has no ${part}:\n${code}`);
  return code.replace(part, by);
}
