//! The module's exports. `wit/module-abi.md` documents each of them.
#![allow(unsafe_code, reason = "an exported name is an unsafe attribute; there is no unsafe block")]

use crate::calls;
use crate::instance::{self, answer};

#[unsafe(no_mangle)]
extern "C" fn abi() -> u32 {
    calls::ABI
}

#[unsafe(no_mangle)]
extern "C" fn input(length: u32) -> *const u8 {
    instance::input(length)
}

#[unsafe(no_mangle)]
extern "C" fn version() -> *const u8 {
    answer(|_, _, out| calls::version(out))
}

#[unsafe(no_mangle)]
extern "C" fn translate() -> *const u8 {
    answer(|_, input, out| calls::translate_payload(input, out))
}

#[unsafe(no_mangle)]
extern "C" fn transcode() -> *const u8 {
    answer(|_, input, out| calls::transcode_payload(input, out))
}

#[unsafe(export_name = "open")]
extern "C" fn open_bridge() -> *const u8 {
    answer(calls::open)
}

#[unsafe(export_name = "close")]
extern "C" fn close_bridge(bridge: u32) -> *const u8 {
    answer(|instance, _, out| calls::close(instance, bridge, out))
}

#[unsafe(no_mangle)]
extern "C" fn ingest(bridge: u32, now: u64) -> *const u8 {
    answer(|instance, input, out| calls::ingest(instance, bridge, now, input, out))
}

#[unsafe(export_name = "poll")]
extern "C" fn poll_bridge(bridge: u32, now: u64) -> *const u8 {
    answer(|instance, _, out| calls::poll(instance, bridge, now, out))
}

#[unsafe(no_mangle)]
extern "C" fn complete(bridge: u32, request: u64, now: u64) -> *const u8 {
    answer(|instance, input, out| calls::complete(instance, bridge, request, now, input, out))
}

#[unsafe(no_mangle)]
extern "C" fn events(bridge: u32) -> *const u8 {
    answer(|instance, _, out| calls::events(instance, bridge, out))
}

#[unsafe(no_mangle)]
extern "C" fn next_wakeup(bridge: u32) -> *const u8 {
    answer(|instance, _, out| calls::next_wakeup(instance, bridge, out))
}

#[unsafe(no_mangle)]
extern "C" fn flush(bridge: u32, now: u64) -> *const u8 {
    answer(|instance, _, out| calls::flush(instance, bridge, now, out))
}

#[unsafe(no_mangle)]
extern "C" fn stats(bridge: u32) -> *const u8 {
    answer(|instance, _, out| calls::stats(instance, bridge, out))
}
