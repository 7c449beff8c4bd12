/** Compares what a page shows with what is expected of it, piece by piece. */

/** Whether a text is the expected one; an expectation that ends in `…` is a beginning. */
export function isText(seen, expected) {
  if (seen === undefined) return false;
  return expected.endsWith("…") ? seen.startsWith(expected.slice(0, -1)) : seen === expected;
}

/** Whether a cell of the list of traces says something in words: it is neither empty, nor JSON, nor a printed object. */
export function isReadable(cell) {
  return Boolean(cell) && cell !== "-" && !/^["[{]/.test(cell) && !/^\w+\(\w+=/.test(cell);
}

/**
 * How many messages, calls and tools of a span are shown as expected, and whether nothing else is.
 *
 * @param seen what `readSpan` found
 * @param expected an entry of `expected/conversations.mjs`
 */
export function score(seen, { inputs = [], outputs = [], tools = [] }) {
  const sides = [
    [seen.inputs, inputs],
    [seen.outputs, outputs],
  ];
  const sum = (count) => sides.reduce((all, [found, wanted]) => all + count(found, wanted), 0);
  const share = (part) => ({
    right: sum((found, wanted) => inCommon(part(found), part(wanted))),
    all: sum((_, wanted) => part(wanted).length),
  });
  const isWhole =
    sides.every(([found, wanted]) => isSame(found, wanted)) && JSON.stringify(seen.tools) === JSON.stringify(tools);
  return {
    messages: share((messages) => messages),
    calls: share(callsOf),
    tools: { right: inCommon(seen.tools, tools), all: tools.length },
    surplus: sum((found, wanted) => found.length - inCommon(found, wanted)),
    isWhole,
  };
}

const isSame = (found, wanted) =>
  found.length === wanted.length && wanted.every((each, index) => isText(found[index], each));

const callsOf = (messages) => messages.flatMap((message) => message.match(/→ [^→]+(?= →|$)/g) ?? []);

/** How many of the expected texts are there in their order, whatever is between them. */
export function inCommon(found, wanted) {
  // The longest common subsequence, row by row.
  let last = new Array(found.length + 1).fill(0);
  for (const each of wanted) {
    const row = [0];
    for (const [at, text] of found.entries())
      row.push(isText(text, each) ? last[at] + 1 : Math.max(last[at + 1], row[at]));
    last = row;
  }
  return last.at(-1);
}
