/**
 * How much of each captured payload MLflow's UI shows: of the payload that was posted to MLflow raw, and of the same payload
 * that went through the gateway or the Python package. Every number is a share of what `expected/` lists.
 */

import { INSTRUMENTORS } from "../expected/conversations.mjs";
import { RETRIEVERS } from "../expected/documents.mjs";
import { inCommon, isReadable, score } from "../score.mjs";

export const SIDES = ["raw", "translated", "python"];

/** What is compared: a payload with the calls to a model, or the retrievers, that are expected of it. */
const ENTRIES = [
  ...INSTRUMENTORS.flatMap(({ name, payloads, of }) =>
    Object.entries(payloads).map(([payload, { spans }]) => ({ name, payload, of, spans, type: "LLM" })),
  ),
  ...Object.entries(RETRIEVERS).map(([payload, { name, spans }]) => ({ name, payload, spans, type: "RETRIEVER" })),
];
const NAMES = [...new Set(ENTRIES.map(({ name }) => name))];

/** By instrumentation. @returns {Promise<({name: string, payload: string} & Record<side, Shares>)[]>} */
export async function measure(session, { looked = SIDES } = {}) {
  const measured = [];
  for (const entry of NAMES.flatMap((name) => ENTRIES.filter((each) => each.name === name))) {
    const of = {};
    for (const side of SIDES) {
      // Of a side that is not looked at, the spans are those of the gateway's side.
      const seen = looked.includes(side) ? side : "translated";
      of[side] = { ...(await content(session, seen, entry)), ...(await traces(session, side, entry)) };
    }
    measured.push({ name: entry.name, payload: entry.payload, ...of });
  }
  return measured;
}

function content(session, side, entry) {
  return entry.type === "LLM" ? conversation(session, side, entry) : documents(session, side, entry);
}

async function conversation(session, side, { payload, of, spans }) {
  const seen = await session.conversation(side, payload, of);
  const scores = spans.map((wanted, index) => score(seen[index], wanted));
  const share = (part) => sum(scores.map((each) => each[part]));
  return {
    messages: share("messages"),
    calls: share("calls"),
    tools: share("tools"),
    surplus: scores.reduce((all, { surplus }) => all + surplus, 0),
  };
}

async function documents(session, side, { payload, spans }) {
  const shares = [];
  for (const [span, cards] of Object.entries(spans)) {
    const seen = (await session.span(side, payload, span)).documents;
    shares.push({ right: inCommon(seen.map(oneLine), cards.map(oneLine)), all: cards.length });
  }
  return { documents: sum(shares) };
}

const oneLine = ({ text, tags }) => [text, ...tags].join(" | ");

async function traces(session, side, { payload, type }) {
  const { traces, ofType } = session.store[side];
  const found = await session.once(`${side} of type ${type}`, () => ofType(type));
  const stored = traces[payload];
  const typed = stored.filter((trace) => trace.spans.some((span) => span.kind === type));
  const rows = await session.rows(side, payload);
  const having = (key) => share(typed, ({ metadata }) => metadata[key]);
  return {
    requests: share(rows, (cells) => isReadable(cells.Input)),
    responses: share(rows, (cells) => isReadable(cells.Output)),
    found: share(typed, ({ id }) => found.has(id)),
    tokens: having("mlflow.trace.tokenUsage"),
    cost: having("mlflow.trace.cost"),
  };
}

const share = (list, isRight) => ({ right: list.filter(isRight).length, all: list.length });

export const sum = (shares) =>
  shares.reduce(({ right, all }, each) => ({ right: right + each.right, all: all + each.all }), { right: 0, all: 0 });
