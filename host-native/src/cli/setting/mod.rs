//! The settings, by their groups in `--help`. A group is a layer as well: what the environment and the settings file say of it
//! is read into the same type.

mod destination;
mod global;
mod kafka;
mod operate;
mod receive;
mod tuning;

pub use destination::{DestinationArgs, ForwardArgs};
pub use global::{GlobalArgs, LogFormat};
pub use kafka::{KafkaArgs, KafkaEncoding};
pub use operate::{JournalArgs, OperateArgs};
pub use receive::{AccessArgs, LimitArgs, ReceiveArgs};
pub use tuning::TuningArgs;
