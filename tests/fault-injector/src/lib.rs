//! Loaded into the host with `LD_PRELOAD`, it makes one of the host's calls to the system the last one, or makes it fail.
//!
//! So the host is tested as it is, and every moment at which its state outside of memory changes is a place to end it:
//! no list of such places can be incomplete. Calls are counted by what they do and by what they do it to (`plan`), since
//! one thread writes a file and so the third `sync` of the journal is the same moment in every run, whatever else goes on.
//!
//! Beside `SIGKILL` there is a power cut (`unsynced`): what was not synced to a file is lost as well, which a kill
//! alone never shows, because the system keeps what was written.
//!
//! For 64-bit Linux: the calls are made by their numbers, without the functions that are replaced here.

#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "it replaces functions of the C library")]
#![allow(missing_docs, clippy::missing_safety_doc, reason = "each has the contract of the C function of its name")]

mod fault;
mod place;
mod plan;
mod unsynced;

use libc::{c_char, c_int, c_void, iovec, off64_t, size_t, sockaddr, socklen_t, ssize_t, syscall};

use fault::{Call, intercept, received};
use place::{of_descriptor, of_path};
use unsynced::Change;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(fd: c_int, data: *const c_void, length: size_t, offset: off64_t) -> ssize_t {
    let write = |length: size_t| unsafe { syscall(libc::SYS_pwrite64, fd, data, length, offset) };
    let change = || Change::write(fd, data, length, offset);
    intercept(Call::Write, of_descriptor(fd), change, || write(length), || write(length / 2)) as ssize_t
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(fd: c_int, data: *const c_void, length: size_t) -> ssize_t {
    let write = |length: size_t| unsafe { syscall(libc::SYS_write, fd, data, length) };
    let change = || Change::write(fd, data, length, unsafe { syscall(libc::SYS_lseek, fd, 0, libc::SEEK_CUR) });
    intercept(Call::Write, of_descriptor(fd), change, || write(length), || write(length / 2)) as ssize_t
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate64(fd: c_int, length: off64_t) -> c_int {
    let resize = || unsafe { syscall(libc::SYS_ftruncate, fd, length) };
    intercept(Call::Resize, of_descriptor(fd), || Change::resize(fd, length), resize, || 0) as c_int
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    let sync = || unsafe { syscall(libc::SYS_fdatasync, fd) };
    intercept(Call::Sync, of_descriptor(fd), || Change::sync(fd), sync, || 0) as c_int
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    let sync = || unsafe { syscall(libc::SYS_fsync, fd) };
    intercept(Call::Sync, of_descriptor(fd), || Change::sync(fd), sync, || 0) as c_int
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let rename = || unsafe { syscall(libc::SYS_renameat2, libc::AT_FDCWD, from, libc::AT_FDCWD, to, 0) };
    intercept(Call::Rename, unsafe { of_path(to) }, || unsafe { Change::rename(from, to) }, rename, || 0) as c_int
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn send(fd: c_int, data: *const c_void, length: size_t, flags: c_int) -> ssize_t {
    let none = std::ptr::null::<c_void>();
    let send = |length: size_t| unsafe { syscall(libc::SYS_sendto, fd, data, length, flags, none, 0) };
    intercept(Call::Send, of_descriptor(fd), || Change::None, || send(length), || send(length / 2)) as ssize_t
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn writev(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t {
    let send = |count: c_int| unsafe { syscall(libc::SYS_writev, fd, parts, count) };
    intercept(Call::Send, of_descriptor(fd), || Change::None, || send(count), || send(count / 2)) as ssize_t
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn recv(fd: c_int, data: *mut c_void, length: size_t, flags: c_int) -> ssize_t {
    let (nobody, no_length) = (std::ptr::null_mut::<sockaddr>(), std::ptr::null_mut::<socklen_t>());
    received(fd, unsafe { syscall(libc::SYS_recvfrom, fd, data, length, flags, nobody, no_length) }) as ssize_t
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn readv(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t {
    received(fd, unsafe { syscall(libc::SYS_readv, fd, parts, count) }) as ssize_t
}
