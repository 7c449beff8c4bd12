/**
 * Runs the scenarios of an instrumentation that has an exporter of its own, and writes what it posted. The packages of the npm
 * package's tests read the payloads.
 */

import { readSpans } from "../../../host-js/test/support/otlp.mjs";
import { OtlpReceiver } from "./otlp-receiver.js";
import { write } from "./recorder.js";

/** As `record`. A scenario takes the model API and the endpoint, and has posted everything when it is through. */
export async function recordPosted(captured) {
  const receiver = await OtlpReceiver.start();
  const run = async (scenario, api) => {
    await scenario(api, receiver.endpoint);
    const body = receiver.take();
    const spans = readSpans(body).map(({ scope, resource }) => ({
      instrumentationScope: scope,
      resource: { attributes: resource },
    }));
    return { spans, body };
  };
  try {
    await write({ ...captured, run });
  } finally {
    await receiver.stop();
  }
}
