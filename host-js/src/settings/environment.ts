/** The environment, read when it is asked for: never at import. Texts are trimmed, and empty is unset. */

/** Something that is wrong with a variable; said once, and the default holds. */
export type Complain = (message: string) => void;

export function readText(name: string): string | undefined {
  const text = typeof process === "undefined" ? undefined : process.env?.[name];
  return text?.trim() || undefined;
}

/** As MLflow reads booleans: `true`, `false`, `1`, `0`, in any case. */
export function readBoolean(name: string, complain: Complain): boolean | undefined {
  const text = readText(name)?.toLowerCase();
  if (text === undefined) return undefined;
  if (text === "true" || text === "1") return true;
  if (text !== "false" && text !== "0") complain(`${name} is ignored: expected true, false, 1 or 0`);
  return text === "false" || text === "0" ? false : undefined;
}

/** As OpenTelemetry reads numbers of `OTEL_BSP_*`: positive integers. */
export function readCount(name: string, complain: Complain): number | undefined {
  const text = readText(name);
  if (text === undefined) return undefined;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  complain(`${name} is ignored: expected a whole number above 0`);
  return undefined;
}
