/**
 * A Databricks workspace as tracking URI: `databricks`, or `databricks://PROFILE`.
 *
 * Host and token are looked up as Databricks' own tools do: `DATABRICKS_HOST` and `DATABRICKS_TOKEN` win, and a profile of
 * `~/.databrickscfg` brings what they leave open.
 */

import { readHomeFile } from "../platform/node.js";
import { type Complain, readText } from "./environment.js";
import type { AutologOptions } from "./options.js";

/** How to reach a workspace, and where in Unity Catalog it keeps the traces. */
export interface Workspace {
  /** As it was written, with a scheme. */
  host: string;
  token: string;
  traceLocation: string;
}

export function isDatabricks(uri: string): boolean {
  return uri === "databricks" || uri.startsWith("databricks://");
}

/** The workspace of a tracking URI; options win. `undefined` if something is missing, which is then reported. */
export function findWorkspace(uri: string, options: AutologOptions, complain: Complain): Workspace | undefined {
  const profile = uri.replace(/^databricks(:\/\/)?/, "").replace(/\/$/, "");
  const access = findAccess(profile, options.token?.trim() || readText("DATABRICKS_TOKEN"));
  if (typeof access === "string") {
    complain(
      `no traces are collected: the tracking URI names a Databricks workspace, but ${access}; set DATABRICKS_HOST and ` +
        "DATABRICKS_TOKEN, or name a profile that has a host and a token (databricks://PROFILE)",
    );
    return undefined;
  }
  const traceLocation = options.traceLocation?.trim() || readText("MLFLOW_TRACING_DESTINATION") || "";
  if (!/^[!-\-/-~]+(\.[!-\-/-~]+){1,2}$/.test(traceLocation)) {
    complain(
      "no traces are collected: a Databricks workspace takes OpenTelemetry spans into Unity Catalog; name the location " +
        "that an experiment is linked to with MLFLOW_TRACING_DESTINATION, as catalog.schema.prefix or catalog.schema",
    );
    return undefined;
  }
  const host = access.host.includes("://") ? access.host : `https://${access.host}`;
  return { host, token: access.token, traceLocation };
}

/** Host and token, or what is missing. */
function findAccess(named: string, token: string | undefined): { host: string; token: string } | string {
  if (named.includes(":")) return "a secret scope in the tracking URI is not supported";
  const host = readText("DATABRICKS_HOST");
  const name = named || readText("DATABRICKS_CONFIG_PROFILE");
  if (!name && (host || token)) {
    return host && token ? { host, token } : `${host ? "DATABRICKS_TOKEN" : "DATABRICKS_HOST"} is not set`;
  }
  const profile = readProfile(name || "DEFAULT");
  if (typeof profile === "string") return profile;
  const found = { host: host ?? profile.get("host") ?? "", token: token ?? profile.get("token") ?? "" };
  const missing = found.host ? "token" : "host";
  return found[missing] ? found : `the profile ${name || "DEFAULT"} has no ${missing}`;
}

/** The keys of a section of an INI file, or why there are none. */
function readProfile(name: string): Map<string, string> | string {
  const file = readText("DATABRICKS_CONFIG_FILE") ?? "~/.databrickscfg";
  const lines = readHomeFile(file)?.split(/\r?\n/);
  if (!lines) return `${file} cannot be read`;
  const start = lines.findIndex((line) => line.trim() === `[${name}]`);
  if (start < 0) return `${file} has no profile ${name}`;
  const profile = new Map<string, string>();
  for (const line of lines.slice(start + 1)) {
    if (line.trim().startsWith("[")) break;
    const [, key, value] = /^\s*([^#;=:\s]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (key && value) profile.set(key.toLowerCase(), value);
  }
  return profile;
}
