/** Where there are no threads: browsers and edge runtimes. */

import type { Translator } from "./translator.js";

export function workerTranslator(): Translator | undefined {
  return undefined;
}
