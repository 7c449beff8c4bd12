/** The environment, read at `autolog()` and never at import. Texts are trimmed, and an empty text counts as unset. */

/** Reports a bad variable or option once. The caller then uses the default. */
export type Complain = (message: string) => void;

/** A variable's text. */
export function readText(name: string): string | undefined {
  const text = typeof process === "undefined" ? undefined : process.env?.[name];
  return text?.trim() || undefined;
}

/** As MLflow reads booleans: `true`, `false`, `1`, `0`, in any case. */
export function readBoolean(name: string, complain: Complain): boolean | undefined {
  const text = readText(name)?.toLowerCase();
  if (text === undefined) return undefined;
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  complain(`${name}="${shorten(text)}" is ignored: expected true, false, 1 or 0`);
  return undefined;
}

/** As OpenTelemetry reads the numbers of `OTEL_BSP_*`: positive integers. */
export function readCount(name: string, complain: Complain): number | undefined {
  const text = readText(name);
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  complain(`${name}="${shorten(text)}" is ignored: expected a whole number above 0`);
  return undefined;
}

/** A value for a message. */
export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
