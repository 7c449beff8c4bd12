//! HTTP/2 as no client speaks it, frame by frame (RFC 9113 sections 4 and 6).

/// What every connection begins with (section 3.4), before the first frame.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `POST / HTTP/2` to host x, in HPACK.
const REQUEST: &[u8] = &[0x83, 0x86, 0x84, 0x41, 1, b'x'];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A connection that begins as it should and goes on with this.
fn after_settings(frames: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut bytes = [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat();
    bytes.extend(frames.into_iter().flatten());
    bytes
}

/// A header `x: aaa…` in HPACK, without a place in the table.
fn large_header(length: usize) -> Vec<u8> {
    let rest = length - 127;
    let mut field = vec![0, 1, b'x', 127, u8::try_from(rest & 127).unwrap() | 128, u8::try_from(rest >> 7).unwrap()];
    field.extend(std::iter::repeat_n(b'a', length));
    field
}

/// One head that goes on for so many bytes and never ends.
pub(super) fn headers_without_end(bytes: usize) -> Vec<u8> {
    let field = large_header(16_000);
    let continued = (0..bytes / 16_000).map(|_| frame(CONTINUATION, 0, 1, &field));
    after_settings([frame(HEADERS, 0, 1, REQUEST)].into_iter().chain(continued))
}

/// So many requests, each with a head of a few kilobytes and without a body.
pub(super) fn many_large_headers(requests: u32) -> Vec<u8> {
    let head = [REQUEST, &large_header(10_000)].concat();
    after_settings((0..requests).map(|number| frame(HEADERS, END_HEADERS, 2 * number + 1, &head)))
}

/// One connection each.
pub(super) fn attacks() -> Vec<Vec<u8>> {
    let whole = END_HEADERS | END_STREAM;
    let request = |number: u32| frame(HEADERS, whole, 2 * number + 1, REQUEST);
    let reset = |number: u32| frame(RST_STREAM, 0, 2 * number + 1, &8_u32.to_be_bytes());
    let many = 20_000;
    vec![
        // Requests that are taken back at once (CVE-2023-44487).
        after_settings((0..many).flat_map(|number| [request(number), reset(number)])),
        // Requests by the thousand, without waiting for an answer.
        after_settings((0..many).map(request)),
        // Streams that are opened and broken by an error of the client's (CVE-2025-8671).
        after_settings(
            (0..many).flat_map(|number| [request(number), frame(WINDOW_UPDATE, 0, 2 * number + 1, &[0; 4])]),
        ),
        after_settings((0..many).map(|_| frame(PING, 0, 0, &[0; 8]))),
        after_settings((0..many).map(|_| frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 9]))),
        after_settings((0..many).map(|number| frame(PRIORITY, 0, 2 * number + 1, &[0, 0, 0, 0, 1]))),
        // Empty frames (CVE-2019-9518).
        after_settings(
            [frame(HEADERS, END_HEADERS, 1, REQUEST)].into_iter().chain((0..many).map(|_| frame(DATA, 0, 1, &[]))),
        ),
        after_settings(
            [frame(HEADERS, 0, 1, REQUEST)].into_iter().chain((0..many).map(|_| frame(CONTINUATION, 0, 1, &[]))),
        ),
        // Frames that contradict the protocol.
        after_settings([frame(HEADERS, whole, 1, &[0xff; 64])]),
        after_settings([frame(HEADERS, whole, 2, REQUEST)]),
        after_settings([frame(HEADERS, whole, 0, REQUEST)]),
        after_settings([frame(DATA, 0, 0, b"nobody's")]),
        after_settings([frame(DATA, 0, 7, b"of a stream that is not there")]),
        after_settings([frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x82])]),
        after_settings([frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes())]),
        after_settings([frame(SETTINGS, 0, 0, &[0; 5])]),
        after_settings([frame(SETTINGS, 0, 0, &[0, 4, 0xff, 0xff, 0xff, 0xff])]),
        after_settings([frame(PING, 0, 0, &[0; 7])]),
        after_settings([frame(0xbe, 0xff, 1, b"of no kind")]),
        after_settings([vec![0xff; 9]]),
        [PREFACE, b"GET / HTTP/1.1\r\n\r\n"].concat(),
        PREFACE[..20].to_vec(),
    ]
}
