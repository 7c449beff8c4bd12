//! Owns the translator's bridge on one thread, and does what the contract asks of an embedder.
//!
//! Guarantees:
//! - Payloads are ingested in the order in which they arrive.
//! - The queue before the bridge is bounded, so a slow bridge slows its senders.
//! - An accepted payload is kept until the bridge reports it as delivered, through any number of traps.
//! - A payload that makes the instance trap twice is quarantined, and no other payload is.
//! - The driver does not read payloads.
//!
//! With a journal, a payload is on disk before the bridge sees it. Its sender gets the translator's answer, or, if the bridge
//! is full, an immediate acknowledgement. Payloads for which the bridge has no space wait in the journal.
//!
//! A source that keeps its payloads itself lends them ([`Borrower`]). They bypass the journal and the quarantine: the source
//! learns when a payload is delivered, and what was refused of it.
//!
//! Calls into the instance are pure computation and may take a while, so they have a thread of their own. Sockets and requests
//! run on tokio.

mod clock;
mod event_loop;
mod events;
mod in_flight;
mod loan;
mod open_payloads;
mod queue;
mod suspect_payloads;
mod trap_cause;
mod trap_recovery;

use std::any::Any;
use std::io;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::exporter::Destination;
use crate::journal::{AppendError, Consumer, EntryId, Journal};
use crate::payload::PayloadContext;
use crate::quarantine::Quarantine;
use crate::wasm::{OpenBridge, OpenError, Stats};
use open_payloads::OpenPayloads;

pub use loan::{Borrower, Lender, Loan, Settled};
pub use queue::{Queue, Waiting};

/// The most payloads in the queue of the bridge. Further senders wait.
const QUEUE: usize = 64;

/// A reservation of memory that is released once the payload is in the journal or in the bridge.
pub type MemoryReservation = Box<dyn Any + Send>;

/// A handle to the driver. The thread ends when the last handle is dropped.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    loans: mpsc::UnboundedSender<Loan>,
    queue: Queue,
    journal: Option<(Journal, mpsc::UnboundedSender<Written>)>,
}

/// The journal, as the bridge sees it.
#[derive(Debug, Clone)]
pub struct Backlog {
    /// The journal that stores payloads before the bridge sees them.
    pub journal: Journal,
    /// The bridge as a consumer of the journal.
    pub consumer: Consumer,
}

impl Backlog {
    /// What is undelivered. `read` is the part that the bridge has read.
    pub fn waiting(&self, read: Waiting) -> Waiting {
        let Self { journal, consumer } = self;
        Waiting { payloads: journal.pending_count(*consumer), bytes: journal.pending_bytes(*consumer), ..read }
    }
}

/// A payload that was written to the journal. There are at most as many as waiting senders.
#[derive(Debug)]
struct Written {
    id: EntryId,
    reply: oneshot::Sender<Result<Accepted, Refused>>,
}

/// An accepted payload.
#[derive(Debug)]
pub struct Accepted {
    /// Accepted spans.
    pub spans: u32,
    /// Spans that MLflow will never accept; they are quarantined.
    pub rejected_spans: u32,
    /// The reason; empty if none was rejected.
    pub message: String,
    /// Completes when every span of the payload is in MLflow or quarantined. Fails when the whole payload is
    /// quarantined, when it waits in the journal, or when the gateway stops first.
    pub done: oneshot::Receiver<()>,
}

/// Why a payload was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The payload is not valid in its encoding. The text says what was found and expected.
    #[error("{0}")]
    Malformed(String),
    /// The bridge is full.
    #[error("too many spans are waiting for MLflow (--max-memory); retry in {} s", .0.as_secs_f64().ceil())]
    Full(Duration),
    /// The payload made the instance trap twice. It is quarantined; the text says where.
    #[error("{0}")]
    Quarantined(String),
    /// The journal is full.
    #[error(
        "the journal is full (--journal-max-bytes); retry in {} s", .0.as_secs_f64().ceil()
    )]
    JournalFull(Duration),
    /// The journal cannot be written.
    #[error("the journal cannot be written now; retry in {} s", .0.as_secs_f64().ceil())]
    JournalUnavailable(Duration),
    /// The gateway is stopping.
    #[error("the gateway is stopping; retry once it runs again")]
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

/// What was undelivered when the driver ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Undelivered {
    /// Payloads with undelivered spans.
    pub payloads: usize,
    /// Spans that are undelivered.
    pub spans: u64,
    /// The payloads that are kept, in the journal or in the quarantine.
    pub kept: usize,
}

/// The driver has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the translator has stopped; see the log")]
pub struct Stopped;

/// The driver cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The bridge cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The thread cannot be started.
    #[error("failed to start a thread: {0}")]
    Thread(io::Error),
}

/// What the driver shares with its handles.
struct Inputs {
    commands: mpsc::Receiver<Command>,
    written: mpsc::UnboundedReceiver<Written>,
    /// As many as their sources allow.
    loans: mpsc::UnboundedReceiver<Loan>,
    queue: Queue,
}

#[derive(Debug)]
enum Command {
    Ingest {
        payload: Bytes,
        context: PayloadContext,
        reply: oneshot::Sender<Result<Accepted, Refused>>,
        reservation: MemoryReservation,
    },
    Flush,
    Stats {
        reply: oneshot::Sender<Stats>,
    },
    Drain {
        deadline: Instant,
        reply: oneshot::Sender<Undelivered>,
    },
}

/// Opens a bridge and starts the thread that owns it. Must be called within a tokio runtime, which performs the
/// requests. With a backlog, payloads are written to its journal first, and its entries are delivered.
///
/// # Errors
/// The bridge cannot be opened, or the thread cannot be started.
pub fn start<O, D>(
    bridges: O,
    destination: D,
    quarantine: Quarantine,
    backlog: Option<Backlog>,
) -> Result<Handle, StartError>
where
    O: OpenBridge + 'static,
    D: Destination,
{
    let bridge = bridges.open()?;
    let (commands, inbox) = mpsc::channel(QUEUE);
    let (written, written_inbox) = mpsc::unbounded_channel();
    let (loans, loans_inbox) = mpsc::unbounded_channel();
    let runtime = tokio::runtime::Handle::current();
    let journal = backlog.as_ref().map(|backlog| (backlog.journal.clone(), written));
    let payloads = backlog.map_or_else(OpenPayloads::default, OpenPayloads::in_journal);
    let queue = Queue::default();
    let inputs = Inputs { commands: inbox, written: written_inbox, loans: loans_inbox, queue: queue.clone() };
    let driver = event_loop::Driver::new(bridges, bridge, destination, quarantine, payloads, inputs, runtime.clone());
    let thread = thread::Builder::new().name("translator".to_owned());
    thread.spawn(move || runtime.block_on(driver.run())).map_err(StartError::Thread)?;
    Ok(Handle { commands, loans, queue, journal })
}

// === impl Handle ===

impl Handle {
    /// Offers a payload and waits until it is accepted or refused.
    ///
    /// # Errors
    /// Why it was refused. Nothing is kept, unless the error says so.
    pub async fn ingest(&self, payload: Bytes, context: PayloadContext) -> Result<Accepted, Refused> {
        self.ingest_with_reservation(payload, context, Box::new(())).await
    }

    /// Like [`ingest`](Self::ingest), and releases the reservation once the payload is in the journal or in the bridge,
    /// even if the sender is gone.
    ///
    /// # Errors
    /// As [`ingest`](Self::ingest).
    pub async fn ingest_with_reservation(
        &self,
        payload: Bytes,
        context: PayloadContext,
        reservation: MemoryReservation,
    ) -> Result<Accepted, Refused> {
        let (reply, answer) = oneshot::channel();
        match &self.journal {
            None => self
                .send(Command::Ingest { payload, context, reply, reservation })
                .await
                .map_err(|Stopped| Refused::Stopped)?,
            Some((journal, written)) => {
                let written = written.clone();
                let appended = move |appended: Result<EntryId, AppendError>| {
                    drop(reservation);
                    match appended {
                        // If the driver has ended, dropping `reply` reports it.
                        Ok(id) => drop(written.send(Written { id, reply })),
                        Err(error) => drop(reply.send(Err(error.into()))),
                    }
                };
                journal.append(payload, context, appended).await;
            }
        }
        answer.await.unwrap_or(Err(Refused::Stopped))
    }

    /// The counters of the bridge. They restart at 0 with each new instance.
    ///
    /// # Errors
    /// The driver has ended.
    pub async fn stats(&self) -> Result<Stats, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Stats { reply }).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Sends everything, complete or not, until it is delivered or the time is up, and ends the driver. The rest stays
    /// in the journal; without a journal it is quarantined. Payloads that arrive in the meantime are refused.
    ///
    /// # Errors
    /// The driver has ended already.
    pub async fn drain(&self, limit: Duration) -> Result<Undelivered, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Drain { deadline: Instant::now() + limit, reply }).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// What is accepted and undelivered.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Whether the driver has ended.
    pub fn has_stopped(&self) -> bool {
        self.commands.is_closed()
    }

    /// Completes when the driver has ended.
    pub async fn stopped(&self) {
        self.commands.closed().await;
    }

    async fn send(&self, command: Command) -> Result<(), Stopped> {
        self.commands.send(command).await.map_err(|_| Stopped)
    }
}

impl Borrower for Handle {
    fn lend(&self, loan: Loan) {
        // The source keeps the payload, so nothing is lost.
        let _ = self.loans.send(loan);
    }

    fn flush(&self) {
        // If the queue is full, the bridge is busy with older payloads.
        let _ = self.commands.try_send(Command::Flush);
    }
}
