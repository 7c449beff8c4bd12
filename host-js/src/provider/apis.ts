/** The copies of the API that have been handed over so far. The first one is what this package itself calls. */

import type { Context } from "@opentelemetry/api";
import type { Api } from "./api.js";

export type FullApi = Api & { ROOT_CONTEXT: Context };

const apis = new Map<object, FullApi>();

/** Returns whether it is a copy that was not known. */
export function addApi(api: FullApi): boolean {
  // Two module objects of one singleton are one copy.
  if (apis.has(api.trace)) return false;
  apis.set(api.trace, api);
  return true;
}

export function knownApis(): FullApi[] {
  return [...apis.values()];
}

/** Every entry hands over its own copy before anything else happens. */
export function theApi(): FullApi {
  const [first] = apis.values();
  return first as FullApi;
}
