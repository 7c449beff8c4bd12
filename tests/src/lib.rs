//! What the tests and benchmarks that cross the parts share.

pub mod fixtures;
pub mod growth;
pub mod guest;
pub mod report;
