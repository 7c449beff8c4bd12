//! Payloads from Kafka arrive, and no offset is committed before: through failing brokers, rebalances, an MLflow that is away, and
//! messages that cannot be used. The brokers are librdkafka's mock cluster.

mod brokers;
mod progress;
mod rebalances;
mod refusals;
mod rights;
