/** Compares what a page shows with what is expected of it, piece by piece. */

/** Whether a text is the expected one; an expectation that ends in `…` is a beginning. */
export function isText(seen, expected) {
  if (seen === undefined) return false;
  return expected.endsWith("…") ? seen.startsWith(expected.slice(0, -1)) : seen === expected;
}

/**
 * How many messages, calls and tools of a span are where they belong.
 *
 * @param seen what `readSpan` found
 * @param expected an entry of `expected/conversations.mjs`
 */
export function judge(seen, { inputs = [], outputs = [], tools = [] }) {
  const sides = [
    [seen.inputs, inputs],
    [seen.outputs, outputs],
  ];
  const pairs = sides.flatMap(([found, wanted]) => wanted.map((each, index) => [found[index], each]));
  const calls = pairs.filter(([, wanted]) => wanted.includes("→"));
  const right = (list) => list.filter(([found, wanted]) => isText(found, wanted)).length;
  return {
    messages: { right: right(pairs), all: pairs.length },
    calls: { right: right(calls), all: calls.length },
    tools: { right: tools.filter((name, index) => seen.tools[index] === name).length, all: tools.length },
    isWhole:
      right(pairs) === pairs.length &&
      sides.every(([found, wanted]) => found.length === wanted.length) &&
      JSON.stringify(seen.tools) === JSON.stringify(tools),
  };
}
