/** Requests with the user's certificates, over `node:https`: the runtime's `fetch` accepts none at run time. */

import { readFileSync } from "node:fs";
import * as https from "node:https";
import type { TlsSettings } from "../settings/server.js";
import { type HttpResponse, MAX_BODY, type Send } from "./http.js";

/** Makes a sender. Its connections keep no process alive. It reads the files at the first request. */
export function httpsSender(tls: TlsSettings): Send {
  let agent: https.Agent | undefined;
  return async (url, { method, headers, body, signal }) => {
    agent ??= new https.Agent({
      keepAlive: true,
      rejectUnauthorized: !tls.insecure,
      ca: read(tls.serverCertPath, "MLFLOW_TRACKING_SERVER_CERT_PATH"),
      // One file with the certificate and its key, as in MLflow's Python client.
      cert: read(tls.clientCertPath, "MLFLOW_TRACKING_CLIENT_CERT_PATH"),
      key: read(tls.clientCertPath, "MLFLOW_TRACKING_CLIENT_CERT_PATH"),
    });
    const options = { agent, method, headers: { ...headers, "content-length": body?.length ?? 0 }, signal };
    return new Promise<HttpResponse>((resolve, reject) => {
      const request = https.request(url, options, (response) => {
        const parts: Buffer[] = [];
        let length = 0;
        const end = () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.rawHeaders.map((text, at) => (at % 2 === 0 ? text.toLowerCase() : text)),
            body: Buffer.concat(parts).subarray(0, MAX_BODY),
          });
        response.on("data", (part: Buffer) => {
          parts.push(part);
          length += part.length;
          if (length <= MAX_BODY) return;
          end();
          response.destroy();
        });
        response.on("end", end);
        response.on("error", reject);
      });
      request.on("error", reject);
      request.end(body);
    });
  };
}

function read(path: string | undefined, variable: string): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`${variable} names a file that cannot be read (${code}): expected certificates in PEM`);
  }
}
