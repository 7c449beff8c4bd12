//! One thread owns the translator's bridge and does all that the contract asks of a host.
//!
//! Guarantees: payloads are taken in the order in which they were offered; the queue before the bridge is bounded, so a
//! slow bridge slows its senders; an accepted payload is held until the bridge says that MLflow has it, through any
//! number of traps; a payload that makes the guest trap twice is set aside with its bytes, and no other. Nothing in here reads a
//! payload.
//!
//! With a journal a payload is on disk before the bridge sees it, and its sender is answered then: with what the bridge
//! says of it, or, when the bridge has no room, at once. What the bridge has no room for waits in the journal.
//!
//! Guest calls are pure computation and may take a while, hence a thread of their own; everything around them (sockets,
//! requests under way) runs on tokio.

mod clock;
mod event_loop;
mod events;
mod open_payloads;
mod queue;
mod recovery;
mod requests;
mod suspects;

use std::any::Any;
use std::io;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::exporter::Destination;
use crate::journal::{AppendError, EntryId, Journal, Owner};
use crate::quarantine::SetAsideFolder;
use crate::wasm::{Context, OpenBridge, OpenError, Stats};
use open_payloads::OpenPayloads;

pub use queue::{Queue, Waiting};

/// How many payloads may wait for the bridge before their senders do.
const QUEUE: usize = 64;

/// What is let go of when a payload that was offered is no more in memory because of that, whether or not its sender waits.
pub type Held = Box<dyn Any + Send>;

/// Reaches the bridge's thread. When the last one is dropped, the thread ends.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    queue: Queue,
    journal: Option<(Journal, mpsc::UnboundedSender<Written>)>,
}

/// What is in the journal for the bridge.
#[derive(Debug, Clone)]
pub struct Backlog {
    /// Where payloads are written before the bridge sees them.
    pub journal: Journal,
    /// Whom the journal knows the bridge as.
    pub owner: Owner,
}

impl Backlog {
    /// What it holds that is not delivered; `read` is what the bridge has seen of it.
    pub fn waiting(&self, read: Waiting) -> Waiting {
        let Self { journal, owner } = self;
        Waiting { payloads: journal.owed_count(*owner), bytes: journal.owed_bytes(*owner), ..read }
    }
}

/// A payload that is in the journal. There are never more on the way than senders who wait.
#[derive(Debug)]
struct Written {
    id: EntryId,
    reply: oneshot::Sender<Result<Accepted, Refused>>,
}

/// A payload that was taken.
#[derive(Debug)]
pub struct Accepted {
    /// Spans taken.
    pub spans: u32,
    /// Spans that MLflow will never take, and which were set aside.
    pub rejected_spans: u32,
    /// Why; empty when none was rejected.
    pub message: String,
    /// Completes when everything that came from the payload is in MLflow or was set aside span by span. Fails when
    /// the payload as a whole was set aside, when it waits in the journal, or when the program stopped before.
    pub done: oneshot::Receiver<()>,
}

/// Why a payload was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not what its encoding says; the text says what was found and what was expected.
    #[error("{0}")]
    Malformed(String),
    /// The bridge holds as much as it may.
    #[error("more spans are waiting for MLflow than may be held; try again in {} s", .0.as_secs_f64().ceil())]
    Full(Duration),
    /// The guest trapped on it, twice. Its bytes are kept; the text says where.
    #[error("{0}")]
    SetAside(String),
    /// The journal holds as much as it may.
    #[error(
        "more payloads wait on disk than --journal-max-bytes allows; try again in {} s", .0.as_secs_f64().ceil()
    )]
    JournalFull(Duration),
    /// The journal cannot be written.
    #[error("the disk takes no payloads just now; try again in {} s", .0.as_secs_f64().ceil())]
    JournalUnavailable(Duration),
    /// The program is stopping.
    #[error("this program is stopping; try again once it runs")]
    Stopped,
}

impl From<AppendError> for Refused {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Full(wait) => Self::JournalFull(wait),
            AppendError::Unavailable(wait) => Self::JournalUnavailable(wait),
            AppendError::Closed => Self::Stopped,
        }
    }
}

/// What had not been delivered when the bridge's thread ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// Payloads with undelivered spans.
    pub payloads: usize,
    /// Those spans.
    pub spans: u64,
    /// How many of the payloads are kept: in the journal, or set aside where there is none.
    pub kept: usize,
}

/// The bridge's thread ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the translator has stopped; the log says why")]
pub struct Stopped;

/// The bridge's thread cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The bridge cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The system gives no thread.
    #[error("no thread can be started: {0}")]
    Thread(io::Error),
}

/// What the bridge's thread shares with its handles.
struct Inputs {
    commands: mpsc::Receiver<Command>,
    written: mpsc::UnboundedReceiver<Written>,
    queue: Queue,
}

#[derive(Debug)]
enum Command {
    Ingest { payload: Bytes, context: Context, reply: oneshot::Sender<Result<Accepted, Refused>>, held: Held },
    Stats { reply: oneshot::Sender<Stats> },
    Drain { deadline: Instant, reply: oneshot::Sender<Left> },
}

/// Open a bridge and start the thread that owns it. Must be called within a tokio runtime, which performs the requests.
/// With a backlog, payloads are written to its journal first, and what is there already is delivered.
///
/// # Errors
/// The bridge cannot be opened, or the thread not started.
pub fn start<O, D>(
    bridges: O,
    destination: D,
    set_aside: SetAsideFolder,
    backlog: Option<Backlog>,
) -> Result<Handle, StartError>
where
    O: OpenBridge + 'static,
    D: Destination,
{
    let bridge = bridges.open()?;
    let (commands, inbox) = mpsc::channel(QUEUE);
    let (written, written_inbox) = mpsc::unbounded_channel();
    let runtime = tokio::runtime::Handle::current();
    let journal = backlog.as_ref().map(|backlog| (backlog.journal.clone(), written));
    let payloads = backlog.map_or_else(OpenPayloads::default, OpenPayloads::in_journal);
    let queue = Queue::default();
    let inputs = Inputs { commands: inbox, written: written_inbox, queue: queue.clone() };
    let driver = event_loop::Driver::new(bridges, bridge, destination, set_aside, payloads, inputs, runtime.clone());
    let thread = thread::Builder::new().name("translator".to_owned());
    thread.spawn(move || runtime.block_on(driver.run())).map_err(StartError::Thread)?;
    Ok(Handle { commands, queue, journal })
}

// === impl Handle ===

impl Handle {
    /// Offer a payload, and wait until it was taken or refused.
    ///
    /// # Errors
    /// Why it was refused; nothing of it is kept then, unless the error says so.
    pub async fn ingest(&self, payload: Bytes, context: Context) -> Result<Accepted, Refused> {
        self.ingest_holding(payload, context, Box::new(())).await
    }

    /// The same, and lets go of something then: the sender may be gone before, and the payload is not.
    ///
    /// # Errors
    /// As [`ingest`](Self::ingest).
    pub async fn ingest_holding(&self, payload: Bytes, context: Context, held: Held) -> Result<Accepted, Refused> {
        let (reply, answer) = oneshot::channel();
        match &self.journal {
            None => self
                .send(Command::Ingest { payload, context, reply, held })
                .await
                .map_err(|Stopped| Refused::Stopped)?,
            Some((journal, written)) => {
                let written = written.clone();
                let appended = move |appended: Result<EntryId, AppendError>| {
                    drop(held);
                    match appended {
                        // When the bridge's thread has ended, dropping the reply says so.
                        Ok(id) => drop(written.send(Written { id, reply })),
                        Err(error) => drop(reply.send(Err(error.into()))),
                    }
                };
                journal.append(payload, context, appended).await;
            }
        }
        answer.await.unwrap_or(Err(Refused::Stopped))
    }

    /// The bridge's counters. They begin anew when a guest is replaced.
    ///
    /// # Errors
    /// The bridge's thread has ended.
    pub async fn stats(&self) -> Result<Stats, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Stats { reply }).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Send everything, finished or not, until it is delivered or the time is up, and end the bridge's thread. What is
    /// left then stays in the journal, or is set aside where there is none. Payloads that are offered meanwhile are
    /// refused.
    ///
    /// # Errors
    /// The bridge's thread has ended before.
    pub async fn drain(&self, limit: Duration) -> Result<Left, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Drain { deadline: Instant::now() + limit, reply }).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// What is accepted and not delivered.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Whether the bridge's thread has ended.
    pub fn has_stopped(&self) -> bool {
        self.commands.is_closed()
    }

    /// Completes when the bridge's thread has ended.
    pub async fn stopped(&self) {
        self.commands.closed().await;
    }

    async fn send(&self, command: Command) -> Result<(), Stopped> {
        self.commands.send(command).await.map_err(|_| Stopped)
    }
}
