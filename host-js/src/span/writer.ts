/**
 * Writes the scalars of a chunk: a growing byte buffer, little-endian, with a table of the keys seen so far.
 *
 * `wasm/src/chunk/mod.rs` describes the layout.
 */

const encoder = new TextEncoder();

/** Marks a key that is written in full and not remembered. */
const INLINE_KEY = 0xffff;

/** Short texts are mostly ASCII, and a loop over them is faster than a call of the encoder. */
const SHORT_TEXT = 24;

const INITIAL_SIZE = 64 * 1024;

/** A larger buffer is not kept: one large span has made it grow. */
const KEPT_SIZE = 1024 * 1024;

/** A byte buffer. */
export class Writer {
  #bytes = new Uint8Array(INITIAL_SIZE);
  #view = new DataView(this.#bytes.buffer);
  #keys = new Map<string, number>();
  length = 0;

  /** Returns a copy of the bytes, and starts again. */
  take(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.length);
    this.length = 0;
    this.#keys.clear();
    if (this.#bytes.length > KEPT_SIZE) {
      this.#bytes = new Uint8Array(INITIAL_SIZE);
      this.#view = new DataView(this.#bytes.buffer);
    }
    return bytes;
  }

  /** How many keys are known, for `rewind`. */
  get keys(): number {
    return this.#keys.size;
  }

  /** Takes back everything that was written since. */
  rewind(length: number, keys: number): void {
    this.length = length;
    if (this.#keys.size > keys) {
      this.#keys = new Map([...this.#keys].slice(0, keys));
    }
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#view.setUint16(this.length, value, true);
    this.length += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** Overwrites a number. */
  u32At(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  i64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.length, value, true);
    this.length += 8;
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.length);
    this.length += value.length;
  }

  text(value: string): void {
    const { length } = value;
    // One UTF-16 unit takes at most three bytes of UTF-8. Lone surrogates become U+FFFD.
    this.#reserve(4 + length * 3);
    const start = this.length + 4;
    const written = (length <= SHORT_TEXT ? this.#ascii(value, start) : -1) as number;
    const bytes = written >= 0 ? written : encoder.encodeInto(value, this.#bytes.subarray(start)).written;
    this.#view.setUint32(this.length, bytes, true);
    this.length = start + bytes;
  }

  /** Writes a hexadecimal id, cut to the longest length that fits. */
  id(value: string | undefined): void {
    const length = Math.min(value?.length ?? 0, 255);
    this.#reserve(1 + length);
    this.#bytes[this.length++] = length;
    for (let at = 0; at < length; at++) {
      this.#bytes[this.length++] = (value as string).charCodeAt(at);
    }
  }

  key(value: string): void {
    const known = this.#keys.get(value);
    if (known !== undefined) {
      this.u16(known);
      return;
    }
    const next = this.#keys.size;
    if (next < INLINE_KEY) {
      this.#keys.set(value, next);
      this.u16(next);
    } else {
      this.u16(INLINE_KEY);
    }
    this.text(value);
  }

  /** Bytes written, or -1 when the text is not ASCII. */
  #ascii(value: string, start: number): number {
    const bytes = this.#bytes;
    for (let at = 0; at < value.length; at++) {
      const unit = value.charCodeAt(at);
      if (unit > 0x7f) return -1;
      bytes[start + at] = unit;
    }
    return value.length;
  }

  #reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
