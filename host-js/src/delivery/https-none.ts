/** Where certificates are the platform's alone: browsers and edge runtimes. */

import type { TlsSettings } from "../settings/tls.js";
import type { Send } from "./transport.js";

export function httpsSender(_tls: TlsSettings): Send | undefined {
  return undefined;
}
