//! Recovers a damaged journal: copies every complete record of the file, and then renames the file.
//!
//! Records are found by their magic and verified by their checksum, independently of the tables. So an entry that was
//! delivered recently may be found and delivered again, which is harmless. No complete record is missed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use memchr::memmem::Finder;

use super::error::OpenError;
use super::record::{self, HEADER, MAGIC};
use super::store::{Store, StoreError};
use super::totals::{FORMAT, Totals};
use super::{Consumer, EntryId};
use crate::folder::sync;

/// The size of the scan window, in bytes.
const WINDOW: usize = 4 << 20;
/// The most bytes per transaction.
const BATCH: usize = 16 << 20;

const FILE: &str = "journal.redb";
/// The recovered file, until it replaces the damaged one.
const TAKEN_OVER: &str = "taken-over.redb";

/// The numbers of consumers, by name.
type Known = BTreeMap<String, Consumer>;

/// Opens the journal in a folder, whatever its state.
pub(super) fn open(folder: &Path, names: &[String], first_time: bool) -> Result<(Store, Totals), OpenError> {
    finish(folder).map_err(|cause| OpenError::folder(folder, cause))?;
    let path = folder.join(FILE);
    if !first_time && path.metadata().map_or(0, |metadata| metadata.len()) == 0 {
        tracing::warn!("{} is missing; starting a new journal", path.display());
    }
    let opened = match Store::open(&path, names, &Known::new(), false) {
        Err(StoreError::Damaged(what)) => salvage(folder, names, &Known::new(), &what),
        opened => opened,
    };
    opened.map_err(|error| match error {
        StoreError::Io(cause) => OpenError::folder(folder, cause),
        StoreError::Damaged(what) => OpenError::folder(folder, io::Error::other(what)),
        StoreError::Format(found) => OpenError::Format { folder: folder.to_path_buf(), found, expected: FORMAT },
    })
}

/// Reopens a journal that failed while in use. `damaged` describes the damage, if any. Consumers keep their numbers.
pub(super) fn reopen(
    folder: &Path,
    names: &[String],
    known: &Known,
    damaged: Option<&str>,
) -> Result<(Store, Totals), StoreError> {
    finish(folder).map_err(StoreError::Io)?;
    match Store::open(&folder.join(FILE), names, known, damaged.is_some()) {
        Err(StoreError::Damaged(what)) => salvage(folder, names, known, &what),
        // The verification may miss what a reader found: the database is consistent, but one of its records is not.
        Ok(opened) => match damaged {
            Some(what) => {
                drop(opened);
                salvage(folder, names, known, what)
            }
            None => Ok(opened),
        },
        failed => failed,
    }
}

/// The damaged file stays in place until all records are copied, so that an interrupted salvage starts again.
fn salvage(folder: &Path, names: &[String], known: &Known, what: &str) -> Result<(Store, Totals), StoreError> {
    let (path, taken_over, aside) = (folder.join(FILE), folder.join(TAKEN_OVER), free_name(folder));
    tracing::error!("the journal {} is damaged: {what}; recovering its entries", path.display());
    remove(&taken_over).map_err(StoreError::Io)?;
    let opened = take_over(&path, &taken_over, names, known).inspect_err(|_| {
        // This file may fill the disk.
        let _ = remove(&taken_over);
    })?;
    let moved = fs::rename(&path, &aside).and_then(|()| fs::rename(&taken_over, &path));
    moved.and_then(|()| sync(folder)).map_err(StoreError::Io)?;
    tracing::warn!(
        entries = opened.1.entries,
        "recovered the journal; some entries may be delivered twice. The damaged file is now {}",
        aside.display()
    );
    Ok(opened)
}

/// Completes a salvage that stopped between the two renames.
fn finish(folder: &Path) -> io::Result<()> {
    let (path, taken_over) = (folder.join(FILE), folder.join(TAKEN_OVER));
    if path.exists() || !taken_over.exists() {
        return Ok(());
    }
    fs::rename(taken_over, path)?;
    sync(folder)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn take_over(from: &Path, to: &Path, names: &[String], known: &Known) -> Result<(Store, Totals), StoreError> {
    let (store, mut totals) = Store::open(to, names, known, false)?;
    let (mut batch, mut bytes) = (Vec::new(), 0);
    let mut records = Records::of(from).map_err(StoreError::Io)?;
    while let Some((id, record)) = records.next().map_err(StoreError::Io)? {
        bytes += record.len();
        batch.push((id, record));
        if bytes >= BATCH {
            totals = store.take_over(&totals, std::mem::take(&mut batch))?;
            bytes = 0;
        }
    }
    totals = store.take_over(&totals, batch)?;
    Ok((store, totals))
}

fn free_name(folder: &Path) -> PathBuf {
    let mut seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    loop {
        let path = folder.join(format!("damaged-{seconds}.redb"));
        if !path.exists() {
            return path;
        }
        seconds += 1;
    }
}

/// The complete records of a file, in the order of the file.
struct Records {
    scanned: BufReader<File>,
    read: File,
    window: Vec<u8>,
    /// The offset of the window in the file.
    offset: u64,
    /// Where to continue in the window.
    next: usize,
    finder: Finder<'static>,
}

impl Records {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            scanned: BufReader::new(File::open(path)?),
            read: File::open(path)?,
            window: Vec::new(),
            offset: 0,
            next: 0,
            finder: Finder::new(&MAGIC).into_owned(),
        })
    }

    fn next(&mut self) -> io::Result<Option<(EntryId, Vec<u8>)>> {
        loop {
            let rest = self.window.get(self.next..).unwrap_or_default();
            let Some(found) = self.finder.find(rest) else {
                if !self.advance()? {
                    return Ok(None);
                }
                continue;
            };
            let at = self.offset + (self.next + found) as u64;
            self.next += found + 1;
            if let Some((id, record)) = self.record_at(at)? {
                // Skips the record: what looks like a record inside it is part of a payload.
                self.next += record.len() - 1;
                return Ok(Some((id, record)));
            }
        }
    }

    /// Advances the window. Keeps bytes that may be the beginning of a magic.
    fn advance(&mut self) -> io::Result<bool> {
        let beyond = self.next.saturating_sub(self.window.len());
        let kept = self.window.len().min(MAGIC.len() - 1).min(self.window.len().saturating_sub(self.next));
        let gone = self.window.len() - kept;
        self.window.drain(..gone);
        self.offset += gone as u64;
        self.next = beyond;
        let read = Read::by_ref(&mut self.scanned).take(WINDOW as u64).read_to_end(&mut self.window)?;
        Ok(read > 0)
    }

    fn record_at(&mut self, at: u64) -> io::Result<Option<(EntryId, Vec<u8>)>> {
        let mut header = [0; HEADER];
        self.read.seek(SeekFrom::Start(at))?;
        match self.read.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let Some(length) = record::body_length(&header) else { return Ok(None) };
        let mut record = header.to_vec();
        Read::by_ref(&mut self.read).take(length as u64).read_to_end(&mut record)?;
        Ok(record::decode(&record).map(|entry| (entry.id, record)))
    }
}
