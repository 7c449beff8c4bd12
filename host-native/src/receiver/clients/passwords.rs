//! Passwords and their bcrypt hashes. Checking one takes about 50 ms of CPU time, by design. So right passwords and the last
//! wrong ones are cached as keyed digests until the file changes.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use parking_lot::{Mutex, MutexGuard};

use secrecy::zeroize::Zeroizing;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::receiver::refusal::Refusal;

/// The most wrong passwords in the cache.
const WRONG: usize = 1024;
/// The most clients that wait for a password check. Others get an answer that asks them to retry.
const QUEUE: usize = 32;

type Fingerprint = [u8; 32];

/// The users, their hashes, and the cached results.
pub(super) struct Passwords {
    hashes: HashMap<String, Arc<str>>,
    /// The key of the fingerprints. Only this process has it.
    key: [u8; 32],
    tried: Mutex<Tried>,
}

#[derive(Default)]
struct Tried {
    right: HashMap<String, Fingerprint>,
    wrong: HashSet<Fingerprint>,
}

/// Checks passwords, on at most half of the cores.
#[derive(Debug, Clone)]
pub(super) struct Hasher {
    turns: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

// === impl Passwords ===

impl Passwords {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { hashes: HashMap::new(), key, tried: Mutex::default() }
    }

    pub(super) fn insert(&mut self, name: String, hash: String) {
        self.hashes.insert(name, hash.into());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    fn fingerprint(&self, pair: &str) -> Fingerprint {
        Sha256::new_with_prefix(self.key).chain_update(pair).finalize().into()
    }

    fn tried(&self) -> MutexGuard<'_, Tried> {
        self.tried.lock()
    }

    /// The cached result of an earlier check.
    fn remembered(&self, name: &str, fingerprint: &Fingerprint) -> Option<bool> {
        let tried = self.tried();
        if tried.right.get(name).is_some_and(|right| right.ct_eq(fingerprint).into()) {
            return Some(true);
        }
        tried.wrong.contains(fingerprint).then_some(false)
    }

    fn remember(&self, name: &str, fingerprint: Fingerprint, right: bool) {
        let mut tried = self.tried();
        if right {
            tried.right.insert(name.to_owned(), fingerprint);
            return;
        }
        if tried.wrong.len() >= WRONG {
            tried.wrong.clear();
        }
        tried.wrong.insert(fingerprint);
    }
}

// === impl Hasher ===

impl Hasher {
    /// Whether the password is right. `pair` is the user name and the password, separated by a colon.
    pub(super) async fn check(&self, passwords: &Passwords, pair: Zeroizing<String>) -> Result<bool, Refusal> {
        let Some((name, _)) = pair.split_once(':') else { return Ok(false) };
        let name = name.to_owned();
        let fingerprint = passwords.fingerprint(&pair);
        if let Some(known) = passwords.remembered(&name, &fingerprint) {
            return Ok(known);
        }
        // For an unknown name, checks against any hash, so that it takes as long as a known one.
        let known = passwords.hashes.get(&name);
        let Some(hash) = known.or_else(|| passwords.hashes.values().next()).cloned() else { return Ok(false) };
        let _place = self.queue.try_acquire().map_err(|_| Refusal::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Refusal::Busy)?;
        let compared = spawn_blocking(move || {
            let _turn = turn;
            let password = pair.split_once(':').map_or("", |(_, password)| password);
            bcrypt::verify(password, &hash).unwrap_or(false)
        });
        let right = compared.await.unwrap_or(false) && known.is_some();
        passwords.remember(&name, fingerprint, right);
        Ok(right)
    }
}

impl Default for Hasher {
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        Self { turns: Arc::new(Semaphore::new((cores / 2).max(1))), queue: Arc::new(Semaphore::new(QUEUE)) }
    }
}
