//! Quarantined payloads to the destination of `--forward` that they were for, one after the other, as they were received.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use tokio::time::sleep;

use crate::command::replay::encoding_of;
use crate::forwarder::{Client, Outcome};
use crate::quarantine::{Quarantine, QuarantineEntry};
use crate::settings::ForwardEndpoint;
use crate::wasm::Translator;

/// How often a destination is asked for one payload before the rest stays where it is.
const ATTEMPTS: u32 = 4;
/// The wait before the second attempt; doubles each time, unless the destination asks for another.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest that a destination may ask for.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// The items of each destination.
///
/// # Errors
/// The settings name none for one of them.
pub(super) fn by_destination(
    items: Vec<QuarantineEntry>,
    known: &[ForwardEndpoint],
) -> anyhow::Result<Vec<(ForwardEndpoint, Vec<QuarantineEntry>)>> {
    let mut sorted: Vec<(ForwardEndpoint, Vec<QuarantineEntry>)> =
        known.iter().map(|endpoint| (endpoint.clone(), Vec::new())).collect();
    for item in items {
        let name = item.record.destination.as_deref().unwrap_or_default();
        match sorted.iter_mut().find(|(endpoint, _)| endpoint.to_string() == name) {
            Some((_, items)) => items.push(item),
            None => bail!(
                "{} was for {name}, and the settings do not forward there\nhint: name it with --forward {name}, with its \
                 headers as for `serve`, or leave the payload out",
                item.id
            ),
        }
    }
    sorted.retain(|(_, items)| !items.is_empty());
    Ok(sorted)
}

/// Sends the items to their destination, and says what became of them. Returns whether it has them all.
pub(super) async fn replay(
    endpoint: &ForwardEndpoint,
    items: Vec<QuarantineEntry>,
    translator: &Translator,
    data_dir: &Path,
) -> anyhow::Result<bool> {
    let client = Client::new(endpoint, translator.clone())?;
    let (count, mut taken, mut refused) = (items.len(), 0, 0);
    for item in items {
        let payload = std::fs::read(&item.path).with_context(|| format!("{} cannot be read", item.path.display()))?;
        match send(&client, payload.into()).await {
            Outcome::Taken => {}
            Outcome::Partly { rejected, message } => {
                tracing::warn!(rejected, "{endpoint} took {} without some of its spans: {message}", item.id);
            }
            Outcome::Refused(reason) => {
                tracing::error!("{}: {endpoint} rejected it again: {reason}", item.id);
                let reason = format!("{endpoint} rejected it: {reason}");
                Quarantine::below(data_dir).keep_reason(&item, &reason)?;
                refused += 1;
                continue;
            }
            Outcome::Later { reason, .. } => {
                tracing::error!("{endpoint} does not take payloads: {reason}");
                break;
            }
        }
        item.remove().with_context(|| format!("{} cannot be removed", item.path.display()))?;
        taken += 1;
    }
    anstream::println!("replayed: {taken} of {count} payloads, to {endpoint}");
    if refused > 0 {
        anstream::println!("refused again: {refused} payloads; they stay quarantined, and the log says why");
    }
    let kept = count - taken - refused;
    if kept > 0 {
        anstream::println!("not delivered: {kept} payloads; they stay quarantined");
    }
    Ok(taken == count)
}

async fn send(client: &Client, payload: Bytes) -> Outcome {
    let encoding = encoding_of(&payload);
    let mut delay = FIRST_WAIT;
    for _ in 1..ATTEMPTS {
        match client.send(payload.clone(), encoding).await.outcome {
            Outcome::Later { wait, .. } => sleep(wait.unwrap_or(delay).min(MAX_WAIT)).await,
            decided => return decided,
        }
        delay *= 2;
    }
    client.send(payload, encoding).await.outcome
}
