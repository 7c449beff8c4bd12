//! Members that come, go and die.

use std::time::Duration;

use crate::support::fake_bridge::{Gate, Inbox};
use crate::support::kafka::{Cluster, Gateway};
use crate::support::mlflow::Mlflow;
use crate::support::payload;
use crate::support::program::Program;
use crate::support::until;

const SECOND: Duration = Duration::from_secs(1);
const PARTITIONS: i32 = 4;

fn send(cluster: &Cluster, numbers: std::ops::Range<i32>) {
    numbers.for_each(|number| cluster.send(number % PARTITIONS, format!("message {number:03}").as_bytes()));
    cluster.flush();
}

#[tokio::test]
async fn given_a_member_that_joins_and_one_that_leaves_then_they_share_the_partitions_and_nothing_is_lost() {
    let (cluster, dir) = (Cluster::with_partitions(PARTITIONS), tempfile::tempdir().unwrap());
    let (first_inbox, second_inbox) = (Inbox::default(), Inbox::default());
    let first = Gateway::start(&cluster.settings(), &dir, first_inbox.clone());
    send(&cluster, 0..40);
    until("all is committed", || async { cluster.committed(PARTITIONS) == [Some(10); 4] }).await;
    assert_eq!(first.state().lag.len(), 4);

    let second = Gateway::start(&cluster.settings(), &dir, second_inbox.clone());
    until("they share", || async { first.state().lag.len() == 2 && second.state().lag.len() == 2 }).await;
    send(&cluster, 40..80);
    until("all is committed", || async { cluster.committed(PARTITIONS) == [Some(20); 4] }).await;
    assert!(!second_inbox.texts().is_empty());

    first.stop(SECOND).await;
    until("the other has all", || async { second.state().lag.len() == 4 }).await;
    send(&cluster, 80..120);
    until("all is committed", || async { cluster.committed(PARTITIONS) == [Some(30); 4] }).await;
    // Nobody was killed, so nothing was delivered twice.
    let mut texts = [first_inbox.texts(), second_inbox.texts()].concat();
    texts.sort();
    assert_eq!(texts, (0..120).map(|number| format!("message {number:03}")).collect::<Vec<_>>());
    second.stop(SECOND).await;
}

#[tokio::test]
async fn given_open_messages_when_their_partitions_move_then_the_new_member_delivers_them() {
    let (cluster, dir) = (Cluster::with_partitions(PARTITIONS), tempfile::tempdir().unwrap());
    let (shut, inbox) = (Gate::shut(), Inbox::default());
    let first = Gateway::start(&cluster.settings(), &dir, shut.clone());
    send(&cluster, 0..40);
    until("they are read", || async { first.state().messages == 40 }).await;
    let second = Gateway::start(&cluster.settings(), &dir, inbox.clone());
    until("they share", || async { first.state().lag.len() == 2 && second.state().lag.len() == 2 }).await;
    until("the second delivers its part", || async { inbox.texts().len() == 20 }).await;
    let moved = || cluster.committed(PARTITIONS).into_iter().flatten().collect::<Vec<_>>();
    until("it commits them", || async { moved() == [10, 10] }).await;
    first.stop(Duration::ZERO).await;
    until("it gets the rest", || async { moved() == [10; 4] }).await;
    assert_eq!(inbox.texts().len(), 40);
    second.stop(SECOND).await;
}

/// `serve` as a member.
fn serve(cluster: &Cluster, mlflow: &Mlflow, dir: &std::path::Path) -> Program {
    let arguments = [
        format!("--tracking-uri=http://{}", mlflow.address),
        format!("--kafka-brokers={}", cluster.brokers.bootstrap_servers()),
        "--kafka-group=gateways".to_owned(),
        "--kafka-config=session.timeout.ms=6000,heartbeat.interval.ms=200".to_owned(),
        "--no-receivers".to_owned(),
        "--settle=1ms".to_owned(),
    ];
    Program::serve(dir, &arguments.each_ref().map(String::as_str), &[])
}

#[tokio::test]
async fn given_a_member_that_is_killed_then_the_next_one_delivers_what_mlflow_did_not_have() {
    let (cluster, mlflow) = (Cluster::with_partitions(1), Mlflow::start().await);
    let (dir, other_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    mlflow.script(|_| crate::support::mlflow::Reply::Hang);
    (0..5).for_each(|number| cluster.send(0, &payload::trace(number)));
    cluster.flush();
    let killed = serve(&cluster, &mlflow, dir.path());
    until("MLflow is asked", || async { !mlflow.seen().is_empty() }).await;
    drop(killed);
    assert_eq!(cluster.committed(1), [None]);
    mlflow.script(|_| crate::support::mlflow::Reply::Healthy);
    let next = serve(&cluster, &mlflow, other_dir.path());
    until("all is committed", || async { cluster.committed(1) == [Some(5)] }).await;
    next.terminate();
    let (status, said) = next.end();
    assert!(status.success(), "{said}");
    assert!(said.contains("topic otlp_spans at ") && !said.contains("OTLP/HTTP at"), "{said}");
}
