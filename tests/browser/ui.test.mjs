/** MLflow's own UI, in a real browser: every captured conversation reads as one. */

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { measure } from "./comparison/measure.mjs";
import { tables, written } from "./comparison/page.mjs";
import { AGENTS } from "./expected/agents.mjs";
import { INSTRUMENTORS } from "./expected/conversations.mjs";
import { RETRIEVERS } from "./expected/documents.mjs";
import { ERRORS } from "./expected/errors.mjs";
import { LISTED } from "./expected/list.mjs";
import { DRAWN_BY_MLFLOW_ALONE } from "./expected/raw.mjs";
import { isText, score } from "./score.mjs";
import { MADE_AGAIN, PAYLOADS, UiSession } from "./ui-session.mjs";

const SCREENSHOTS = fileURLToPath(new URL("./screenshots/", import.meta.url));

/** The same is expected of the payloads through the gateway, and of the applications that use the Python package. */
const WAYS = [
  { way: "through the gateway", side: "translated", here: PAYLOADS },
  { way: "from an application with autolog()", side: "applications", here: MADE_AGAIN },
];

/** @type {UiSession} */
let session;
before(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  session = await UiSession.start({ screenshots: SCREENSHOTS, runsApplications: true });
});
after(() => session?.stop());

for (const { way, side, here } of WAYS) {
  const isHere = ([payload]) => here.includes(payload);

  describe(`${way}, a call to a model shows its messages, tool calls and tools`, () => {
    for (const { name, payloads, of } of INSTRUMENTORS) {
      for (const [payload, { spans }] of Object.entries(payloads).filter(isHere)) {
        test(`${name}: ${payload}`, async () => {
          const seen = await session.conversation(side, payload, of);
          assert.equal(seen.length, spans.length, "calls to a model");
          for (const [index, wanted] of spans.entries()) {
            const { inputs, outputs, tools } = seen[index];
            if (score(seen[index], wanted).isWhole) continue;
            assert.deepEqual({ inputs, outputs, tools }, { tools: [], ...wanted }, `call ${index + 1}`);
          }
        });
      }
    }
  });

  describe(`${way}, an agent's trace opens with what was asked and answered`, () => {
    for (const [payload, { span, ...wanted }] of Object.entries(AGENTS).filter(isHere)) {
      test(payload, async () => {
        const { inputs, outputs } = await session.span(side, payload, span);
        assert.deepEqual({ inputs, outputs }, wanted);
      });
    }
  });

  describe(`${way}, what was retrieved is drawn as cards`, () => {
    for (const [payload, { spans }] of Object.entries(RETRIEVERS).filter(isHere)) {
      for (const [span, cards] of Object.entries(spans)) {
        test(`${payload}: ${span}`, async () => {
          assert.deepEqual((await session.span(side, payload, span)).documents, cards);
        });
      }
    }
  });

  describe(`${way}, a failed span opens with its exception`, () => {
    for (const [payload, { span, ...fields }] of Object.entries(ERRORS).filter(isHere)) {
      test(payload, async () => {
        const seen = await session.exception(side, payload, span);
        for (const [field, text] of Object.entries(fields))
          assert.ok(isText(seen[`exception.${field}`], text), `${field}: ${JSON.stringify(seen)}`);
      });
    }
  });

  describe(`${way}, the list of traces reads as text`, () => {
    for (const payload of here) {
      test(payload, async () => {
        const listed = (await session.rows(side, payload)).map((row) => [row.Input, row.Output]);
        const wanted = LISTED[payload];
        const isWanted = (cells, row) => cells.every((cell, column) => isText(cell, wanted[row][column]));
        if (listed.length === wanted.length && listed.every(isWanted)) return;
        assert.deepEqual(listed, wanted);
      });
    }
  });
}

test("pictures are drawn from attachments, and those of the other copies, which are too small for one, from the spans", async () => {
  const pictures = INSTRUMENTORS.flatMap(({ payloads, of }) =>
    Object.entries(payloads)
      .filter(([, { spans }]) => JSON.stringify(spans).includes("[image]"))
      .map(([payload]) => ({ payload, of })),
  );
  assert.ok(pictures.length > 0);
  for (const { payload, of } of pictures) {
    const seen = await session.conversation("translated", payload, of);
    assert.match(JSON.stringify(seen), /\[image\]/, payload);
    assert.deepEqual(await session.conversation("python", payload, of), seen, payload);
    const attached = (side) => session.spans(side, payload).some(([, { hasAttachment }]) => hasAttachment);
    assert.deepEqual(["translated", "python", "raw"].map(attached), [true, false, false], payload);
  }
});

test("posted raw, the same payloads fail the same comparison, but for those that MLflow draws alone", async () => {
  const drawn = [];
  for (const { payloads, of } of INSTRUMENTORS) {
    for (const [payload, { spans }] of Object.entries(payloads)) {
      const seen = await session.conversation("raw", payload, of);
      if (spans.every((wanted, index) => score(seen[index], wanted).isWhole)) drawn.push(payload);
    }
  }
  assert.deepEqual(drawn, DRAWN_BY_MLFLOW_ALONE);
});

test("through the Python package, MLflow stores what it stores through the gateway", () => {
  for (const payload of PAYLOADS) {
    const [gateway, python] = ["translated", "python"].map((side) =>
      session.store[side].traces[payload].map(({ content }) => content),
    );
    assert.deepEqual(python, gateway, payload);
  }
});

test("the tables of translator/README.md say what is seen: `npm run side-by-side` writes them anew", async () => {
  // `npm run side-by-side` looks at each copy. Here the test before this one stands for the Python package's copies.
  assert.equal(written(), tables(await measure(session, { looked: ["raw", "translated"] })));
});
