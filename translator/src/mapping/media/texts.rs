//! The texts of an encoded span: values of attributes, of its events too, however deep.

use crate::otlp::wire::{Fields, Wire, put_bytes_field};

/// What a text becomes; `None` leaves it.
type Change<'c, 's> = &'c mut dyn FnMut(&'s [u8]) -> Option<Vec<u8>>;

/// A span with its texts changed; `None` when none was. Depth was limited when the span was read.
pub(super) fn change<'s>(span: &'s [u8], change: Change<'_, 's>) -> Option<Vec<u8>> {
    rewrite(span, &mut |number, message| match number {
        9 => key_value(message, change),
        11 => rewrite(message, &mut |number, message| if number == 3 { key_value(message, change) } else { None }),
        _ => None,
    })
}

fn key_value<'s>(message: &'s [u8], change: Change<'_, 's>) -> Option<Vec<u8>> {
    rewrite(message, &mut |number, message| if number == 2 { any_value(message, change) } else { None })
}

fn any_value<'s>(message: &'s [u8], change: Change<'_, 's>) -> Option<Vec<u8>> {
    rewrite(message, &mut |number, message| match number {
        1 => change(message),
        5 => rewrite(message, &mut |number, message| if number == 1 { any_value(message, change) } else { None }),
        6 => rewrite(message, &mut |number, message| if number == 1 { key_value(message, change) } else { None }),
        _ => None,
    })
}

/// A message with some of its length-delimited fields changed; `None` when none was.
fn rewrite<'s>(message: &'s [u8], change: &mut dyn FnMut(u32, &'s [u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut out = None;
    let mut read = 0;
    for field in Fields::new(message).map_while(Result::ok) {
        let changed = match field.wire {
            Wire::Bytes(bytes) => change(field.number, bytes),
            _ => None,
        };
        match (changed, &mut out) {
            (None, None) => {}
            (None, Some(out)) => Vec::extend_from_slice(out, field.raw),
            (Some(changed), out) => {
                let out = out.get_or_insert_with(|| message.get(..read).unwrap_or_default().to_vec());
                put_bytes_field(out, field.number, &changed);
            }
        }
        read += field.raw.len();
    }
    out
}
