//! Counting calls, and what happens at the one that the plan names.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Mutex, OnceLock, PoisonError};

use libc::{c_int, c_long};

use crate::place::of_descriptor;
use crate::plan::{Action, Place, plan};
use crate::unsynced::{Change, Surviving, Unsynced};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Write,
    Resize,
    Sync,
    Rename,
    Send,
    Receive,
}

impl Call {
    const ALL: [(Self, &str); 6] = [
        (Self::Write, "write"),
        (Self::Resize, "resize"),
        (Self::Sync, "sync"),
        (Self::Rename, "rename"),
        (Self::Send, "send"),
        (Self::Receive, "receive"),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, named)| *named == name).map(|(call, _)| *call)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(call, _)| *call == self).map_or("", |(_, name)| name)
    }
}

/// Makes the call, unless it is the one that the plan is about. `half` makes the first half of it.
pub(crate) fn intercept(
    call: Call,
    place: Option<&Place>,
    change: impl FnOnce() -> Change,
    whole: impl FnOnce() -> c_long,
    half: impl FnOnce() -> c_long,
) -> c_long {
    let Some(place) = place else { return whole() };
    // One call after the other, so that none is under way when the power is cut.
    let is_file = !matches!(call, Call::Send | Call::Receive);
    let mut unsynced = is_file.then(Unsynced::lock);
    let action = count(call, place);
    match action {
        Some(Action::Before) => die(),
        Some(Action::Half) => {
            half();
            die()
        }
        Some(Action::Cut | Action::CutSome) => {
            let surviving =
                if matches!(action, Some(Action::Cut)) { Surviving::Nothing } else { Surviving::EveryOther };
            unsynced.get_or_insert_with(Unsynced::lock).cut(surviving);
            die()
        }
        Some(Action::Fail { errno, .. }) => {
            unsafe { *libc::__errno_location() = errno };
            -1
        }
        Some(Action::After) => {
            whole();
            die()
        }
        None => {
            let change = change();
            let answer = whole();
            if answer >= 0
                && let Some(unsynced) = &mut unsynced
            {
                unsynced.remember(change);
            }
            answer
        }
    }
}

/// Counts what came over a connection; whatever the plan does there, it does before the program hears of it.
pub(crate) fn received(fd: c_int, answer: c_long) -> c_long {
    let place = if answer > 0 { of_descriptor(fd) } else { None };
    intercept(Call::Receive, place, || Change::None, || answer, || answer)
}

/// Says what happens at this call.
fn count(call: Call, place: &Place) -> Option<Action> {
    static COUNTS: OnceLock<Mutex<HashMap<(Call, String), u64>>> = OnceLock::new();
    let mut counts = COUNTS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let number = counts.entry((call, place.name.clone())).or_default();
    *number += 1;
    if let Some(mut seen) = plan().seen.as_ref() {
        // In one piece, so that a kill leaves no half of a line. The file is in no place, and so it is not counted.
        let _ = seen.write_all(format!("{} {}\n", call.name(), place.name).as_bytes());
    }
    let fault = plan().fault.as_ref().filter(|fault| fault.call == call && fault.place == place.name)?;
    let times = if let Action::Fail { times, .. } = fault.action { times } else { 1 };
    (fault.number..fault.number + times).contains(number).then_some(fault.action)
}

fn die() -> ! {
    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
    loop {
        std::thread::park();
    }
}
