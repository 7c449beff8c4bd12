//! The thread of a consumer group. It polls all the time, so that the member stays in its group whatever the destination does.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, KafkaResult};

use super::configuration::ConfigurationError;
use super::group::{Context, Group, Member};
use super::phase::{Phase, Phases};
use super::trouble::Subject;

/// How long a poll waits for a message.
const POLL: Duration = Duration::from_millis(50);
/// How long to wait before a new member replaces one that failed for good.
const REJOIN: Duration = Duration::from_secs(5);
/// How often to look whether a missing topic is there.
const LOOK_FOR_TOPIC: Duration = Duration::from_secs(5);

/// Starts the thread. The first member is created here, so that settings that cannot be used are known at once.
///
/// # Errors
/// The settings cannot be used.
pub(super) fn start(
    group: Group,
    config: ClientConfig,
    topic: &str,
    phases: Phases,
) -> Result<JoinHandle<()>, ConfigurationError> {
    let name = format!("kafka {}", group.status.group());
    let runner = Runner { group: Arc::new(group), config, topic: topic.to_owned(), phases };
    let member = runner.join()?;
    let thread = thread::Builder::new().name(name).spawn(move || runner.run(member));
    thread.map_err(|error: io::Error| ConfigurationError::of_thread(&error))
}

struct Runner {
    group: Arc<Group>,
    config: ClientConfig,
    topic: String,
    phases: Phases,
}

impl Runner {
    fn join(&self) -> KafkaResult<Member> {
        let member: Member = self.config.create_with_context(Context::new(Arc::clone(&self.group)))?;
        member.subscribe(&[&self.topic])?;
        Ok(member)
    }

    fn run(&self, first: Member) {
        let mut member = Some(first);
        while self.phases.now() != Phase::Ending {
            match member.take().map_or_else(|| self.join(), Ok) {
                Ok(joined) => {
                    if let Err(error) = self.serve(&joined) {
                        tracing::error!(
                            "Kafka, group {}: {error}; joins again in {} s",
                            self.group.status.group(),
                            REJOIN.as_secs()
                        );
                    }
                }
                Err(error) => self.group.failed(&error, &error.to_string()),
            }
            let until = Instant::now() + REJOIN;
            while self.phases.now() != Phase::Ending && Instant::now() < until {
                thread::sleep(POLL);
            }
        }
    }

    /// Serves as a member until the program ends. The member leaves the group when it is dropped.
    ///
    /// # Errors
    /// The member is of no use any more.
    fn serve(&self, member: &Member) -> KafkaResult<()> {
        let group = &*self.group;
        let mut look_at = Instant::now();
        while self.phases.now() != Phase::Ending {
            match member.poll(POLL) {
                Some(Ok(message)) => group.read(&message),
                Some(Err(error @ KafkaError::MessageConsumptionFatal(_))) => return Err(error),
                // `Context::error` has it, with its reason.
                Some(Err(_)) | None => {}
            }
            group.take_back();
            group.store_offsets(member);
            if Instant::now() >= look_at && group.troubles.has(Subject::Topic) {
                look_at = Instant::now() + LOOK_FOR_TOPIC;
                self.look_for_topic(member);
            }
            group.limit(member);
        }
        group.take_back();
        group.store_offsets(member);
        Ok(())
    }

    fn look_for_topic(&self, member: &Member) {
        let found = member.fetch_metadata(Some(&self.topic), Duration::from_secs(2));
        let topic = found.iter().flat_map(|metadata| metadata.topics()).find(|topic| topic.name() == self.topic);
        if topic.is_some_and(|topic| topic.error().is_none() && !topic.partitions().is_empty()) {
            self.group.troubles.end(Subject::Topic);
        }
    }
}
