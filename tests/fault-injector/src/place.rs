//! What a call is made to: a file below one of the plan's folders, or a connection with one of its ports.

use std::ffi::{CStr, OsStr};
use std::mem::{size_of, zeroed};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use libc::{c_char, c_int, sockaddr, sockaddr_in, socklen_t};

use crate::plan::{Place, Whereabouts, plan};

pub(crate) fn of_descriptor(fd: c_int) -> Option<&'static Place> {
    let path = std::fs::read_link(format!("/proc/self/fd/{fd}")).ok()?;
    if path.as_os_str().as_bytes().starts_with(b"socket:") {
        let ports = [port(fd, libc::getsockname)?, port(fd, libc::getpeername)?];
        return find(|at| matches!(at, Whereabouts::Port(port) if ports.contains(port)));
    }
    below(&path)
}

/// The path must be a C string.
pub(crate) unsafe fn of_path(path: *const c_char) -> Option<&'static Place> {
    below(&unsafe { owned(path) })
}

/// The path must be a C string.
pub(crate) unsafe fn owned(path: *const c_char) -> PathBuf {
    OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes()).into()
}

fn below(path: &Path) -> Option<&'static Place> {
    find(|at| matches!(at, Whereabouts::Below(folder) if path.starts_with(folder)))
}

fn find(is_it: impl Fn(&Whereabouts) -> bool) -> Option<&'static Place> {
    plan().places.iter().find(|place| is_it(&place.at))
}

type NameOf = unsafe extern "C" fn(c_int, *mut sockaddr, *mut socklen_t) -> c_int;

/// Of IPv4 alone, which is what tests listen on.
fn port(fd: c_int, name_of: NameOf) -> Option<u16> {
    let mut address: sockaddr_in = unsafe { zeroed() };
    let mut length = size_of::<sockaddr_in>() as socklen_t;
    let named = unsafe { name_of(fd, (&raw mut address).cast(), &raw mut length) };
    (named == 0 && c_int::from(address.sin_family) == libc::AF_INET).then(|| u16::from_be(address.sin_port))
}
