/** Writes attribute values: those of OpenTelemetry, and any other value that an application hands over. */

import type { Writer } from "./writer.js";

const EMPTY = 0;
const TEXT = 1;
const FALSE = 2;
const TRUE = 3;
const INTEGER = 4;
const DOUBLE = 5;
const LIST = 6;
const MAP = 7;
const BYTES = 8;
const INTEGER_64 = 9;

/** Deeper values are left empty, which also ends cycles. The core rejects payloads that nest deeper than 32. */
const MAX_DEPTH = 24;

/** Writes one value. */
export function writeValue(out: Writer, value: unknown, depth = 0): void {
  switch (typeof value) {
    case "string":
      out.u8(TEXT);
      out.text(value);
      return;
    case "number":
      // OTLP has 64-bit integers. As in OpenTelemetry's exporters, a number that is a safe integer becomes one.
      out.u8(Number.isSafeInteger(value) ? INTEGER : DOUBLE);
      out.f64(value);
      return;
    case "boolean":
      out.u8(value ? TRUE : FALSE);
      return;
    case "bigint":
      if (BigInt.asIntN(64, value) === value) {
        out.u8(INTEGER_64);
        out.i64(value);
      } else {
        out.u8(TEXT);
        out.text(value.toString());
      }
      return;
    case "object":
      writeObject(out, value, depth);
      return;
    default:
      out.u8(EMPTY);
  }
}

function writeObject(out: Writer, value: object | null, depth: number): void {
  if (value === null || depth >= MAX_DEPTH) {
    out.u8(EMPTY);
  } else if (Array.isArray(value)) {
    out.u8(LIST);
    out.u32(value.length);
    // By index: `undefined` and holes keep their place.
    for (let at = 0; at < value.length; at++) {
      writeValue(out, value[at], depth + 1);
    }
  } else if (value instanceof Uint8Array) {
    out.u8(BYTES);
    out.bytes(value);
  } else {
    out.u8(MAP);
    writeAttributes(out, value as Record<string, unknown>, depth + 1);
  }
}

/** Writes the entries of an object, without those that are `undefined`. */
export function writeAttributes(out: Writer, attributes: Record<string, unknown> | undefined, depth = 0): void {
  const countAt = out.length;
  let count = 0;
  out.u32(0);
  for (const key in attributes) {
    const value = attributes[key];
    if (value === undefined) continue;
    out.key(key);
    writeValue(out, value, depth);
    count++;
  }
  out.u32At(countAt, count);
}
