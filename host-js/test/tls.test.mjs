/** Servers with certificates that the runtime does not trust, and the variables of MLflow's Python client for them. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { installFixtures } from "./matrix/fixtures.mjs";
import { app } from "./support/app.mjs";
import { startMlflowMock } from "./support/mlflow-mock.mjs";

const pem = (name) => fileURLToPath(new URL(`./support/tls/${name}.pem`, import.meta.url));
const server = { key: readFileSync(pem("server")), cert: readFileSync(pem("server")) };

let open;
let demanding;
before(async () => {
  installFixtures();
  open = await startMlflowMock(server);
  demanding = await startMlflowMock({ ...server, requestCert: true, ca: readFileSync(pem("authority")) });
});
after(() => Promise.all([open.stop(), demanding.stop()]));

async function send(mock, env) {
  const source = `autolog(); span("a"); await flush({ timeoutMillis: 5000 }); print(stats().delivered);`;
  const { printed, stderr } = await app(mock, source, { env });
  return { delivered: printed[0], stderr };
}

describe("a server whose certificate the runtime does not trust", { concurrency: 2 }, () => {
  test("gets nothing, and the reason is said", async () => {
    const { delivered, stderr } = await send(open, {});
    assert.equal(delivered, 0);
    assert.match(stderr, /no answer from the MLflow server.*UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
  });

  test("gets the span when MLFLOW_TRACKING_SERVER_CERT_PATH names its authority", async () => {
    const env = { MLFLOW_TRACKING_SERVER_CERT_PATH: pem("authority") };
    assert.deepEqual(await send(open, env), { delivered: 1, stderr: "" });
  });

  test("gets the span with MLFLOW_TRACKING_INSECURE_TLS=true", async () => {
    assert.deepEqual(await send(open, { MLFLOW_TRACKING_INSECURE_TLS: "true" }), { delivered: 1, stderr: "" });
  });

  test("is verified when both are set, which is said", async () => {
    const env = { MLFLOW_TRACKING_INSECURE_TLS: "true", MLFLOW_TRACKING_SERVER_CERT_PATH: pem("authority") };
    const good = await send(open, env);
    assert.equal(good.delivered, 1);
    assert.match(good.stderr, /MLFLOW_TRACKING_INSECURE_TLS is ignored/);
    const bad = await send(open, { ...env, MLFLOW_TRACKING_SERVER_CERT_PATH: pem("client") });
    assert.equal(bad.delivered, 0);
  });

  test("gets nothing while the file cannot be read, and the variable is named", async () => {
    const { delivered, stderr } = await send(open, { MLFLOW_TRACKING_SERVER_CERT_PATH: "/nowhere/authority.pem" });
    assert.equal(delivered, 0);
    assert.match(stderr, /MLFLOW_TRACKING_SERVER_CERT_PATH names a file that cannot be read \(ENOENT\)/);
  });

  test("that asks who the client is gets the span with MLFLOW_TRACKING_CLIENT_CERT_PATH only", async () => {
    const env = { MLFLOW_TRACKING_SERVER_CERT_PATH: pem("authority") };
    assert.equal((await send(demanding, env)).delivered, 0);
    const known = await send(demanding, { ...env, MLFLOW_TRACKING_CLIENT_CERT_PATH: pem("client") });
    assert.deepEqual(known, { delivered: 1, stderr: "" });
  });
});
