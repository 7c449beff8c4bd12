//! What is to happen, and where, as environment variables say:
//!
//! - `FAULT_INJECTOR_PLACES`: what calls are counted for, `name=folder` or `name=port` with `;` between; a file belongs
//!   to the first folder that it is below, a connection to the first port at either end of it.
//! - `FAULT_INJECTOR_SEEN`: a file that gets a line `call place` for each of them.
//! - `FAULT_INJECTOR_AT`: `call place number action`, the number counted from 1. Calls are `write`, `resize`, `sync`,
//!   `rename`, `send` and `receive`. Without it nothing happens.
//!
//! | action | |
//! |---|---|
//! | `before`, `after` | killed before or after the call |
//! | `half` | killed when half of what is written or sent was |
//! | `cut` | a power cut before the call: what was not synced is gone |
//! | `cut-some` | the same, but that every other write has reached the disk: those that came later, too |
//! | `errno:times` | this call fails with the error of that number, and the next ones of the same place, so many |

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::fault::Call;

pub(crate) struct Plan {
    pub(crate) places: Vec<Place>,
    pub(crate) seen: Option<File>,
    pub(crate) fault: Option<Fault>,
}

pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) at: Whereabouts,
}

pub(crate) enum Whereabouts {
    Below(PathBuf),
    Port(u16),
}

pub(crate) struct Fault {
    pub(crate) call: Call,
    pub(crate) place: String,
    /// From 1.
    pub(crate) number: u64,
    pub(crate) action: Action,
}

#[derive(Clone, Copy)]
pub(crate) enum Action {
    Before,
    Half,
    After,
    Cut,
    CutSome,
    Fail { errno: i32, times: u64 },
}

/// Read once. A plan that makes no sense ends the process, so that no test passes because nothing happened.
pub(crate) fn plan() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(|| read().unwrap_or_else(|| std::process::abort()))
}

fn read() -> Option<Plan> {
    let variable = |name: &str| std::env::var(format!("FAULT_INJECTOR_{name}")).ok();
    let places = variable("PLACES")?.split(';').map(place).collect::<Option<_>>()?;
    let seen = match variable("SEEN") {
        Some(path) => Some(OpenOptions::new().append(true).create(true).open(path).ok()?),
        None => None,
    };
    let fault = match variable("AT") {
        Some(text) => Some(fault(&text)?),
        None => None,
    };
    Some(Plan { places, seen, fault })
}

fn place(text: &str) -> Option<Place> {
    let (name, at) = text.split_once('=')?;
    let at = at.parse().map_or_else(|_| Whereabouts::Below(at.into()), Whereabouts::Port);
    Some(Place { name: name.to_owned(), at })
}

fn fault(text: &str) -> Option<Fault> {
    let [call, place, number, action] = text.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let action = match action {
        "before" => Action::Before,
        "half" => Action::Half,
        "after" => Action::After,
        "cut" => Action::Cut,
        "cut-some" => Action::CutSome,
        failure => {
            let (errno, times) = failure.split_once(':')?;
            Action::Fail { errno: errno.parse().ok()?, times: times.parse().ok()? }
        }
    };
    Some(Fault { call: Call::named(call)?, place: place.to_owned(), number: number.parse().ok()?, action })
}
