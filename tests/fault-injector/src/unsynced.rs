//! What a power cut takes: all that was done to files since they were last synced.
//!
//! Contents and lengths are held back until the file is synced, names until their folder is. A rename that replaces a
//! file is taken as done. That a new file or folder may be gone as well is not shown.

use std::ffi::CString;
use std::mem::zeroed;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use libc::{c_char, c_int, c_long, c_void, off64_t, size_t, syscall};

use crate::place::owned;

/// The changes of all files, in their order.
#[derive(Default)]
pub(crate) struct Unsynced(Vec<Change>);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surviving {
    Nothing,
    EveryOther,
}

pub(crate) enum Change {
    None,
    Write {
        file: File,
        offset: off64_t,
        before: Vec<u8>,
        after: Vec<u8>,
    },
    Resize {
        file: File,
        length: off64_t,
        tail: Vec<u8>,
    },
    Rename {
        folder: Inode,
        from: PathBuf,
        to: PathBuf,
    },
    /// None of the changes of this one is held back any more.
    Sync(Inode),
}

/// A file as it was before the change.
pub(crate) struct File {
    /// A descriptor of our own: the program may close its own.
    fd: c_int,
    inode: Inode,
    length: off64_t,
}

type Inode = (libc::dev_t, libc::ino_t);

// === impl Unsynced ===

impl Unsynced {
    pub(crate) fn lock() -> MutexGuard<'static, Self> {
        static UNSYNCED: OnceLock<Mutex<Unsynced>> = OnceLock::new();
        UNSYNCED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn remember(&mut self, change: Change) {
        match change {
            Change::None => {}
            Change::Sync(inode) => self.0.retain(|change| change.inode() != Some(inode)),
            change => self.0.push(change),
        }
    }

    /// Takes all of it back, and then writes again what survives.
    pub(crate) fn cut(&mut self, surviving: Surviving) {
        self.0.iter().rev().for_each(Change::take_back);
        if surviving == Surviving::EveryOther {
            // The last one is among them: what was written later may be there, and what was written earlier not.
            self.0.iter().rev().step_by(2).collect::<Vec<_>>().into_iter().rev().for_each(Change::write_again);
        }
    }
}

// === impl Change ===

impl Change {
    /// The data must be as long as it says.
    pub(crate) fn write(fd: c_int, data: *const c_void, length: size_t, offset: off64_t) -> Self {
        let Some(file) = File::open(fd) else { return Self::None };
        let before = read(fd, length, offset);
        let after = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) }.to_vec();
        Self::Write { file, offset, before, after }
    }

    pub(crate) fn resize(fd: c_int, length: off64_t) -> Self {
        let Some(file) = File::open(fd) else { return Self::None };
        let tail = read(fd, usize::try_from(file.length - length).unwrap_or(0), length);
        Self::Resize { file, length, tail }
    }

    pub(crate) fn sync(fd: c_int) -> Self {
        status(fd).map_or(Self::None, |status| Self::Sync((status.st_dev, status.st_ino)))
    }

    /// Both must be C strings.
    pub(crate) unsafe fn rename(from: *const c_char, to: *const c_char) -> Self {
        let (from, to) = unsafe { (owned(from), owned(to)) };
        let folder = to.parent().and_then(|folder| std::fs::metadata(folder).ok());
        match folder {
            Some(folder) if !to.exists() => Self::Rename { folder: (folder.dev(), folder.ino()), from, to },
            _ => Self::None,
        }
    }

    /// Of what must be synced for the change to last.
    fn inode(&self) -> Option<Inode> {
        match self {
            Self::Write { file, .. } | Self::Resize { file, .. } => Some(file.inode),
            Self::Rename { folder, .. } => Some(*folder),
            Self::None | Self::Sync(_) => None,
        }
    }

    fn take_back(&self) {
        match self {
            Self::Write { file, offset, before, .. } => {
                file.write(before, *offset);
                file.resize(file.length);
            }
            Self::Resize { file, length, tail } => {
                file.resize(file.length);
                file.write(tail, *length);
            }
            Self::Rename { from, to, .. } => rename(to, from),
            Self::None | Self::Sync(_) => {}
        }
    }

    fn write_again(&self) {
        match self {
            Self::Write { file, offset, after, .. } => file.write(after, *offset),
            Self::Rename { from, to, .. } => rename(from, to),
            Self::Resize { file, length, .. } => file.resize(*length),
            Self::None | Self::Sync(_) => {}
        }
    }
}

// === impl File ===

impl File {
    fn open(fd: c_int) -> Option<Self> {
        let status = status(fd)?;
        let inode = (status.st_dev, status.st_ino);
        let own = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
        (own >= 0).then_some(Self { fd: own, inode, length: status.st_size })
    }

    fn write(&self, data: &[u8], offset: off64_t) {
        let _: c_long = unsafe { syscall(libc::SYS_pwrite64, self.fd, data.as_ptr(), data.len(), offset) };
    }

    fn resize(&self, length: off64_t) {
        let _: c_long = unsafe { syscall(libc::SYS_ftruncate, self.fd, length) };
    }
}

impl Drop for File {
    fn drop(&mut self) {
        unsafe { libc::close(self.fd) };
    }
}

/// What is there; less, where the file ends.
fn read(fd: c_int, length: size_t, offset: off64_t) -> Vec<u8> {
    let mut data = vec![0_u8; length];
    let read = unsafe { syscall(libc::SYS_pread64, fd, data.as_mut_ptr(), length, offset) };
    data.truncate(usize::try_from(read).unwrap_or(0));
    data
}

fn status(fd: c_int) -> Option<libc::stat64> {
    let mut status: libc::stat64 = unsafe { zeroed() };
    (unsafe { libc::fstat64(fd, &raw mut status) } == 0).then_some(status)
}

fn rename(from: &Path, to: &Path) {
    let name = |path: &Path| CString::new(path.as_os_str().as_bytes()).unwrap_or_default();
    let (from, to) = (name(from), name(to));
    let here = libc::AT_FDCWD;
    let _: c_long = unsafe { syscall(libc::SYS_renameat2, here, from.as_ptr(), here, to.as_ptr(), 0) };
}
