//! One consumer group as this member of it: what is assigned, what is open, what to commit. librdkafka calls back into it on the
//! thread that polls.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::{ClientContext, Offset, Statistics, TopicPartitionList};

use super::message::{Inflight, Lent, Message, Returned};
use super::partitions::Partitions;
use super::phase::{Phase, Phases};
use super::refusals::{Refusal, Refusals, RefusedPart};
use super::trouble::{LatestFailure, Subject, Troubles, explain};
use crate::driver::{Borrower, Loan, Settled};
use crate::payload::Encoding;
use crate::settings::Kafka;
use crate::telemetry::{GroupStatus, Received, Transport};

/// How long a revocation waits for what the partitions have open. The group waits as well, but only for these partitions.
const REVOCATION: Duration = Duration::from_secs(5);
/// How long offsets may stay uncommitted before that is told.
const UNCOMMITTED: Duration = Duration::from_secs(30);
/// How often a revocation looks.
const MOMENT: Duration = Duration::from_millis(20);

/// One consumer group.
pub(super) struct Group {
    pub(super) status: GroupStatus,
    pub(super) troubles: Troubles,
    topic: String,
    encoding: Encoding,
    max_payload: usize,
    max_inflight: usize,
    borrower: Arc<dyn Borrower>,
    received: Received,
    partitions: Mutex<Partitions>,
    inflight: Inflight,
    back: mpsc::Sender<Returned>,
    returned: Mutex<mpsc::Receiver<Returned>>,
    refusals: Mutex<Refusals>,
    commits: Mutex<Commits>,
    phases: Phases,
}

/// What librdkafka has committed, as its statistics show.
#[derive(Default)]
struct Commits {
    offsets: BTreeMap<i32, i64>,
    /// Since when something that is settled is not committed.
    behind_since: Option<Instant>,
}

/// The group, as librdkafka calls it.
pub(super) struct Context {
    group: Arc<Group>,
    latest_failure: LatestFailure,
}

/// A member of the group.
pub(super) type Member = BaseConsumer<Context>;

// === impl Group ===

impl Group {
    pub(super) fn new(
        settings: &Kafka,
        max_payload: usize,
        borrower: Arc<dyn Borrower>,
        refusals: Refusals,
        status: GroupStatus,
        received: Received,
        phases: Phases,
    ) -> Self {
        let (back, returned) = mpsc::channel();
        Self {
            troubles: Troubles::new(status.clone()),
            status,
            topic: settings.topic.clone(),
            encoding: settings.encoding,
            max_payload,
            max_inflight: settings.max_inflight_bytes,
            borrower,
            received,
            partitions: Mutex::default(),
            inflight: Inflight::default(),
            back,
            returned: Mutex::new(returned),
            refusals: Mutex::new(refusals),
            commits: Mutex::default(),
            phases,
        }
    }

    /// Lends a message to the destination.
    pub(super) fn read(&self, message: &BorrowedMessage<'_>) {
        let Some(assignment) = self.partitions.lock().read(message.partition(), message.offset()) else { return };
        self.status.update(|state| state.messages += 1);
        let is_tombstone = message.payload().is_none();
        let message = Message::copy(message, assignment, &self.inflight);
        self.received.arrived(Transport::Kafka, message.payload.len());
        if is_tombstone {
            tracing::warn!("{message:?} has no payload (a tombstone); skipped it");
            self.received.refused(Transport::Kafka, "empty");
            return self.settle(&message);
        }
        if message.payload.len() > self.max_payload {
            let reason = format!(
                "the message is larger than {} bytes; send smaller batches, or raise --max-body-size",
                self.max_payload
            );
            return self.refuse(message, "too_large", reason);
        }
        match message.context(self.encoding) {
            Ok(context) => {
                let payload = message.payload.clone();
                let lender = Box::new(Lent { message, back: self.back.clone() });
                self.borrower.lend(Loan { payload, context, lender });
            }
            Err(reason) => self.refuse(message, "header", reason),
        }
    }

    fn refuse(&self, message: Message, label: &'static str, reason: String) {
        self.received.refused(Transport::Kafka, label);
        self.status.update(|state| state.refused += 1);
        self.refusals.lock().add(Refusal { message, parts: vec![RefusedPart::payload(reason)] });
    }

    /// Takes back what the destination is done with, and keeps what it refused.
    pub(super) fn take_back(&self) {
        let returned: Vec<_> = self.returned.lock().try_iter().collect();
        for Returned { message, settled } in returned {
            match settled {
                Settled::Delivered { refused } if refused.is_empty() => self.settle(&message),
                Settled::Delivered { refused } => {
                    self.status.update(|state| state.refused += u64::try_from(refused.len()).unwrap_or(u64::MAX));
                    let parts = refused.into_iter().map(RefusedPart::span).collect();
                    self.refusals.lock().add(Refusal { message, parts });
                }
                Settled::Refused(reason) => {
                    let reason = format!("{reason}{}", self.encoding_hint(&message));
                    self.refuse(message, "malformed", reason);
                }
            }
        }
        let (kept, failed) = self.refusals.lock().keep();
        kept.iter().for_each(|message| self.settle(message));
        match failed {
            Some(reason) => self.troubles.begin(Subject::Refusals, reason),
            None if self.refusals.lock().is_empty() => self.troubles.end(Subject::Refusals),
            None => {}
        }
        self.status.update(|state| state.inflight_bytes = self.inflight.bytes());
    }

    fn settle(&self, message: &Message) {
        self.partitions.lock().settle(&message.assignment, message.offset);
    }

    /// What a producer with another encoding looks like.
    fn encoding_hint(&self, message: &Message) -> &'static str {
        let is_json = message.payload.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        match (self.encoding, is_json) {
            (Encoding::Protobuf, true) => " (it looks like JSON: is --kafka-encoding otlp_json meant?)",
            (Encoding::Json, false) => " (it does not look like JSON: is --kafka-encoding otlp_proto meant?)",
            _ => "",
        }
    }

    /// Stores the offsets up to which everything is settled. librdkafka commits them.
    pub(super) fn store_offsets(&self, member: &Member) {
        let offsets = self.partitions.lock().take_unstored();
        if offsets.is_empty() {
            return;
        }
        let mut list = TopicPartitionList::new();
        for (partition, offset) in &offsets {
            // Fails for negative offsets only, which brokers do not have.
            let _ = list.add_partition_offset(&self.topic, *partition, Offset::Offset(*offset));
        }
        if let Err(error) = member.store_offsets(&list) {
            // The partitions are being taken away.
            tracing::debug!("failed to store offsets: {error}");
            self.partitions.lock().forget_stored(offsets.into_iter().map(|(partition, _)| partition));
        }
    }

    /// Pauses all partitions while too much is open, and resumes them when half of it is settled.
    pub(super) fn limit(&self, member: &Member) {
        let bytes = self.inflight.bytes();
        let paused = self.status.update(|state| state.paused);
        let pause = match self.phases.now() {
            Phase::Running if paused => bytes > self.max_inflight / 2,
            Phase::Running => bytes > self.max_inflight,
            Phase::Draining | Phase::Ending => true,
        };
        if pause == paused {
            return;
        }
        let partitions = self.list(self.partitions.lock().ids());
        let changed = if pause { member.pause(&partitions) } else { member.resume(&partitions) };
        match changed {
            Ok(()) => self.status.update(|state| state.paused = pause),
            // It is tried again after the next poll.
            Err(error) => tracing::debug!("failed to pause or resume partitions: {error}"),
        }
    }

    fn list(&self, partitions: impl IntoIterator<Item = i32>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.topic, partition);
        }
        list
    }

    fn assigned(&self, member: &Member, partitions: &[i32]) {
        {
            let mut assigned = self.partitions.lock();
            partitions.iter().for_each(|partition| assigned.add(*partition));
        }
        if self.status.update(|state| state.paused)
            && let Err(error) = member.pause(&self.list(partitions.iter().copied()))
        {
            tracing::debug!("failed to pause new partitions: {error}");
        }
        self.status.update(|state| {
            state.rebalances += 1;
            state.lag.extend(partitions.iter().map(|partition| (*partition, None)));
        });
        if !partitions.is_empty() {
            self.troubles.end(Subject::Topic);
            tracing::info!("Kafka, group {}: got partitions {partitions:?} of {}", self.status.group(), self.topic);
        }
    }

    fn revoked(&self, member: &Member, partitions: &[i32]) {
        let lost = member.assignment_lost();
        if lost {
            self.status.update(|state| state.lost_partitions += u64::try_from(partitions.len()).unwrap_or(u64::MAX));
            tracing::warn!(
                "Kafka, group {}: the group took partitions {partitions:?} away, because this member did not answer in time; \
                 another member reads what is open again",
                self.status.group()
            );
        } else {
            self.finish(partitions);
            // librdkafka commits them before another member gets the partitions.
            self.store_offsets(member);
        }
        let mut assigned = self.partitions.lock();
        let open = assigned.open(partitions);
        partitions.iter().for_each(|partition| assigned.remove(*partition));
        drop(assigned);
        self.status.update(|state| {
            state.rebalances += 1;
            state.lag.retain(|partition, _| !partitions.contains(partition));
        });
        if !partitions.is_empty() && !lost {
            tracing::info!(
                open,
                "Kafka, group {}: gave partitions {partitions:?} of {} back",
                self.status.group(),
                self.topic
            );
        }
    }

    /// Waits a while for what these partitions have open.
    fn finish(&self, partitions: &[i32]) {
        let deadline = Instant::now() + REVOCATION;
        let open = || self.partitions.lock().open(partitions) > 0;
        if open() && self.phases.now() != Phase::Ending {
            self.borrower.flush();
        }
        while open() && self.phases.now() != Phase::Ending && Instant::now() < deadline {
            std::thread::sleep(MOMENT);
            self.take_back();
        }
        self.take_back();
    }

    /// Something is wrong with the brokers or the topic.
    pub(super) fn failed(&self, error: &KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
        match explain(code, reason, &self.topic, self.status.group()) {
            Some((subject, text)) => self.troubles.begin(subject, text),
            None => tracing::debug!("librdkafka: {error}: {reason}"),
        }
    }

    fn measured(&self, statistics: &Statistics) {
        let joined = |group: &rdkafka::statistics::ConsumerGroup| group.state == "up" && group.join_state == "steady";
        if statistics.cgrp.as_ref().is_some_and(joined) {
            self.troubles.end(Subject::Connection);
        }
        let Some(topic) = statistics.topics.get(&self.topic) else { return };
        let partitions = self.partitions.lock();
        let mut commits = self.commits.lock();
        let (mut lag, mut behind, mut committed_now) = (BTreeMap::new(), false, 0);
        for id in partitions.ids() {
            let known = topic.partitions.get(&id);
            let committed = known.map_or(-1, |known| known.committed_offset);
            let before = commits.offsets.insert(id, committed);
            committed_now += u64::from(before.is_some_and(|before| committed > before));
            let settled = partitions.offset(id).unwrap_or(committed);
            behind |= settled > committed;
            let end = known.map(|known| known.hi_offset).filter(|end| *end >= 0);
            let start = known.map_or(0, |known| known.lo_offset.max(0));
            lag.insert(id, end.map(|end| (end - settled.max(start)).max(0)));
        }
        drop(partitions);
        commits.offsets.retain(|id, _| lag.contains_key(id));
        commits.behind_since = if behind { commits.behind_since.or_else(|| Some(Instant::now())) } else { None };
        match commits.behind_since {
            Some(since) if since.elapsed() > UNCOMMITTED => {
                let trouble = "offsets cannot be committed; RUST_LOG=librdkafka=debug says why";
                self.troubles.begin(Subject::Commits, trouble.to_owned());
            }
            Some(_) => {}
            None => self.troubles.end(Subject::Commits),
        }
        self.status.update(|state| state.commits += committed_now);
        self.status.update(|state| state.lag = lag);
    }
}

// === impl Context ===

impl Context {
    pub(super) fn new(group: Arc<Group>) -> Self {
        Self { group, latest_failure: LatestFailure::default() }
    }
}

impl ClientContext for Context {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.latest_failure.log(facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.group.measured(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let explanation = error.rdkafka_error_code().and_then(|code| self.latest_failure.explains(code));
        self.group.failed(&error, explanation.as_deref().unwrap_or(reason));
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, member: &Member, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            self.group.revoked(member, &ids(partitions));
        }
    }

    fn post_rebalance(&self, member: &Member, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            self.group.assigned(member, &ids(partitions));
        }
    }
}

fn ids(partitions: &TopicPartitionList) -> Vec<i32> {
    partitions.elements().iter().map(|element| element.partition()).collect()
}
