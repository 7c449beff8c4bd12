/** The MLflow server: its address, and how its certificate is verified. */

import { type Complain, readBoolean, readText, shorten } from "./environment.js";

/** The tracking URI. Credentials are taken out of the address, so that no message can show them. */
export interface TrackingUri {
  /** Without credentials, query and trailing slash. */
  address: string;
  username: string;
  password: string;
}

export const DEFAULT_TRACKING_URI = "http://127.0.0.1:5000";

/** Reads a tracking URI. `undefined` when no server can be reached with it, which is then reported. */
export function parseTrackingUri(text: string, complain: Complain): TrackingUri | undefined {
  if (!text) return { address: DEFAULT_TRACKING_URI, username: "", password: "" };
  const address = withScheme(text, complain);
  if (address === undefined) return undefined;
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    complain("no traces are collected: the tracking URI is not an address; write, for example, http://127.0.0.1:5000");
    return undefined;
  }
  const [username, password] = [decode(url.username), decode(url.password)];
  url.username = "";
  url.password = "";
  url.hash = "";
  url.search = "";
  return { address: url.href.replace(/\/+$/, ""), username, password };
}

/** The address with `http://` where only that is missing; `undefined` for stores that have no HTTP interface. */
function withScheme(text: string, complain: Complain): string | undefined {
  if (/^https?:\/\//i.test(text)) return text;
  const shown = shorten(text.replace(/[^/@]*@/, ""));
  // `host:port`, which `new URL` would read as a scheme.
  if (/^(\[[0-9a-f:.]+\]|[\w-]+(\.[\w-]+)*):\d{1,5}(\/|$)/i.test(text)) {
    complain(`the tracking URI "${shown}" has no scheme: http:// is assumed; write "http://${shown}"`);
    return `http://${text}`;
  }
  complain(
    `no traces are collected: the tracking URI "${shown}" is a folder, a database or a scheme other than http. Start ` +
      `\`mlflow server --backend-store-uri ${shown}\` and write the server's address, for example http://127.0.0.1:5000`,
  );
  return undefined;
}

/** Percent-decoded. A percent sign that is not part of an escape is meant as one. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** How certificates are verified, by the variables of MLflow's Python client. */
export interface TlsSettings {
  /** Accept any certificate. */
  insecure: boolean;
  /** PEM file of the trusted authorities, in place of the runtime's. */
  serverCertPath: string | undefined;
  /** PEM file with the client's certificate and its key. */
  clientCertPath: string | undefined;
}

/** `undefined`: as the runtime does it. */
export function readTlsSettings(complain: Complain): TlsSettings | undefined {
  const insecure = readBoolean("MLFLOW_TRACKING_INSECURE_TLS", complain) ?? false;
  const serverCertPath = readText("MLFLOW_TRACKING_SERVER_CERT_PATH");
  const clientCertPath = readText("MLFLOW_TRACKING_CLIENT_CERT_PATH");
  if (insecure && serverCertPath) {
    complain(
      "MLFLOW_TRACKING_INSECURE_TLS is ignored, because MLFLOW_TRACKING_SERVER_CERT_PATH is set too: the server's " +
        "certificate is verified; set only one of them",
    );
  }
  if (!insecure && !serverCertPath && !clientCertPath) return undefined;
  return { insecure: insecure && !serverCertPath, serverCertPath, clientCertPath };
}
