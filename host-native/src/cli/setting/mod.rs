//! The settings, one file a group of them. A group is a layer as well: what the environment and the settings file say of it
//! is read into the same type.

mod access;
mod destination;
mod forward;
mod global;
mod journal;
mod limits;
mod operate;
mod receive;
mod tuning;

pub use access::AccessArgs;
pub use destination::DestinationArgs;
pub use forward::ForwardArgs;
pub use global::{GlobalArgs, LogFormat};
pub use journal::JournalArgs;
pub use limits::LimitArgs;
pub use operate::OperateArgs;
pub use receive::ReceiveArgs;
pub use tuning::TuningArgs;
