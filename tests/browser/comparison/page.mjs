/** The tables of `translator/README.md`: their content and their place. */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SIDES, sum } from "./measure.mjs";

export const PAGE = fileURLToPath(new URL("../../../translator/README.md", import.meta.url));
const BEGIN = "<!-- `npm run side-by-side` in tests/browser writes what follows -->\n\n";
const END = "\n\n<!-- end of what is written -->";

const TOTALS = [
  ["messages as bubbles, with the right speaker, words, pictures and calls", ["messages"]],
  ["tool calls with their arguments", ["calls"]],
  ["offered tools", ["tools"]],
  ["retrieved documents as cards, with where each is from", ["documents"]],
  ["requests in the list of traces that are text", ["requests"]],
  ["responses in the list of traces that are text", ["responses"]],
  ["traces that a search for `span.type` finds", ["found"]],
  ["traces with their tokens", ["tokens"]],
  ["traces with their cost", ["cost"]],
];

const COLUMNS = [
  ["messages", ["messages"]],
  ["tool calls", ["calls"]],
  ["tools", ["tools"]],
  ["documents", ["documents"]],
  ["list", ["requests", "responses"]],
];

/** The tables on the page now. */
export function written() {
  const page = readFileSync(PAGE, "utf8");
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has no place for the tables: ${BEGIN.trim()} … ${END.trim()}`);
  return page.slice(begin + BEGIN.length, end);
}

export function rewrite(tables) {
  const before = written();
  writeFileSync(
    PAGE,
    readFileSync(PAGE, "utf8").replace(before, () => tables),
  );
}

/** @param measured what `measure` found */
export function tables(measured) {
  return `${totals(measured)}\n\n${details(measured)}`;
}

function totals(measured) {
  const row = ([heading, parts]) => {
    const cell = (side) => {
      const { right, all } = sum(measured.flatMap((each) => shares(each[side], parts)));
      return `${right} of ${all}`;
    };
    return [heading, ...SIDES.map(cell)];
  };
  const surplus = SIDES.map((side) => measured.reduce((all, each) => all + (each[side].surplus ?? 0), 0));
  return markdown([
    ["MLflow shows", "alone", "with the gateway", "with the Python package"],
    ...TOTALS.map(row),
    ["bubbles too many: a message twice, or not as it was said", ...surplus],
  ]);
}

function details(measured) {
  const cell = (each, parts) => {
    const [raw, translated] = ["raw", "translated"].map((side) => sum(shares(each[side], parts)));
    return translated.all === 0 ? "" : `${raw.right} → ${translated.right} of ${translated.all}`;
  };
  const row = (each, index) => [
    each.name === measured[index - 1]?.name ? "" : each.name,
    `\`${each.payload.split(".")[0]}\``,
    ...COLUMNS.map(([, parts]) => cell(each, parts)),
  ];
  return markdown([["instrumentation", "payload", ...COLUMNS.map(([heading]) => heading)], ...measured.map(row)]);
}

const shares = (side, parts) => parts.map((part) => side[part]).filter(Boolean);

function markdown([headings, ...rows]) {
  return [headings, headings.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
