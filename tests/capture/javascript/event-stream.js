/**
 * Amazon's event stream encoding, in which Bedrock streams: see `capture/python/event_stream.py`, which describes the layout
 * and reads the same files.
 */

import { crc32 } from "node:zlib";

const STRING = 7;

/** @param events a list of `{ event: name, payload }` */
export function eventStream(events) {
  return Buffer.concat(events.map(({ event, payload }) => message(event, payload)));
}

function message(event, payload) {
  const headers = Buffer.concat([
    header(":event-type", event),
    header(":content-type", "application/json"),
    header(":message-type", "event"),
  ]);
  const content = Buffer.from(JSON.stringify(payload));
  // 16 bytes: two lengths and two checksums.
  const lengths = Buffer.concat([uint32(16 + headers.length + content.length), uint32(headers.length)]);
  const body = Buffer.concat([lengths, uint32(crc32(lengths)), headers, content]);
  return Buffer.concat([body, uint32(crc32(body))]);
}

function header(name, value) {
  const size = Buffer.alloc(2);
  size.writeUInt16BE(value.length);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([STRING]), size, Buffer.from(value)]);
}

function uint32(number) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}
