/**
 * What MLflow's server answers, and what it was sent. One mock serves many applications: each has a tracking URI of its
 * own below it (`uri("name")`), and is asked for by that name.
 */

import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { readSpans } from "./otlp.mjs";

/** @param tls options of `node:https` for a server that speaks TLS */
export async function startMlflowMock(tls) {
  const applications = new Map();
  const application = (name) => {
    if (!applications.has(name)) applications.set(name, { spans: [], requests: [], experiments: new Map() });
    return applications.get(name);
  };
  /** Set to a function `(request, application) => {status, body?, delay?, drop?, hold?} | undefined` to answer otherwise. */
  const behaviour = { answer: undefined };

  const listener = async (message, response) => {
    const chunks = [];
    for await (const chunk of message) chunks.push(chunk);
    const [, name, ...rest] = message.url.split("/");
    const target = application(name);
    const url = new URL(`/${rest.join("/")}`, "http://mock");
    const request = {
      method: message.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: message.headers,
      body: Buffer.concat(chunks),
    };
    target.requests.push(request);
    const special = behaviour.answer?.(request, target, name);
    if (special?.drop) return message.socket.destroy();
    // Never answered.
    if (special?.hold) return;
    if (special?.delay) await new Promise((resolve) => setTimeout(resolve, special.delay));
    const { status = 200, body = "", headers = {} } = special?.status ? special : answer(request, target);
    response.writeHead(status, headers).end(body);
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();

  return {
    behaviour,
    port,
    uri: (name) => `${tls ? "https" : "http"}://127.0.0.1:${port}/${name}`,
    /** Every span that the application has delivered, as often as it did. */
    spans: (name) => application(name).spans,
    requests: (name) => application(name).requests,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  };
}

function answer({ method, path, query, headers, body }, { spans, experiments, deleted }) {
  const json = (status, value) => ({
    status,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
  });
  if (path === "/version") return { body: "3.17.2" };
  const experiment = (id) => ({
    experiment: {
      experiment_id: id,
      artifact_location: `mlflow-artifacts:/${id}`,
      lifecycle_stage: deleted ? "deleted" : "active",
    },
  });
  if (path.endsWith("/experiments/get")) return json(200, experiment(query.experiment_id));
  if (path.endsWith("/experiments/get-by-name")) {
    const id = experiments.get(query.experiment_name);
    if (!id) return json(404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: "no such experiment" });
    return json(200, experiment(id));
  }
  if (path.endsWith("/experiments/create")) {
    const id = String(experiments.size + 1);
    experiments.set(JSON.parse(body).name, id);
    return json(200, { experiment_id: id });
  }
  if (path.endsWith("/runs/get")) return json(404, { error_code: "RESOURCE_DOES_NOT_EXIST", message: "no such run" });
  if (method === "POST" && path === "/v1/traces") {
    const experimentId = headers["x-mlflow-experiment-id"];
    if (!experimentId) return json(422, { detail: "x-mlflow-experiment-id is required" });
    spans.push(...readSpans(body).map((span) => ({ ...span, experimentId })));
    return { headers: { "content-type": "application/x-protobuf" } };
  }
  return json(200, {});
}
