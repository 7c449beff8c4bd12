/** The tracking URI: an MLflow server's address. Credentials in it are taken out, so that no message can show them. */

import type { Complain } from "./environment.js";

export interface TrackingUri {
  address: string;
  username: string;
  password: string;
}

export const DEFAULT_TRACKING_URI = "http://127.0.0.1:5000";

/** `undefined`: nothing can be sent there, which was said. */
export function parseTrackingUri(text: string, complain: Complain): TrackingUri | undefined {
  if (!text) return { address: DEFAULT_TRACKING_URI, username: "", password: "" };
  if (!URL.canParse(text)) {
    complain("no traces are collected: the tracking URI is none; expected http://host:port");
    return undefined;
  }
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    complain(
      `no traces are collected: tracking URIs that begin with ${url.protocol} need MLflow's Python library; start ` +
        "`mlflow server` on that store, and give its http address",
    );
    return undefined;
  }
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  url.username = "";
  url.password = "";
  url.hash = "";
  url.search = "";
  return { address: url.href.replace(/\/+$/, ""), username, password };
}
