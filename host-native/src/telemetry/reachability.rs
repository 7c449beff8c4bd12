//! Whether MLflow answers, judged by the latest requests.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use tokio::time::Instant;

use crate::wasm::Answer;

/// How long a success counts.
const GOOD_FOR: Duration = Duration::from_secs(30);
/// How long a failure counts. Shorter, because MLflow may be back before the next delivery.
const BAD_FOR: Duration = Duration::from_secs(5);

/// The latest evidence. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Reachability(Arc<Mutex<Option<Evidence>>>);

#[derive(Debug)]
struct Evidence {
    at: Instant,
    answers: Result<(), String>,
}

impl Reachability {
    /// Records the answer to a request.
    pub(crate) fn record(&self, answer: &Answer) {
        let answers = match answer {
            Answer::NoAnswer(reason) => Err(format!("it does not answer: {reason}")),
            Answer::Response(response) => match response.status {
                200..=299 => Ok(()),
                status @ (401 | 403) => Err(format!("it answers {status}: the credentials are missing or wrong")),
                status @ (429 | 500..=599) => Err(format!("it answers {status}")),
                // A 4xx shows that something answers: MLflow, or a proxy before it.
                _ => return,
            },
        };
        *self.0.lock() = Some(Evidence { at: Instant::now(), answers });
    }

    /// Whether MLflow answers. None: the evidence is too old.
    pub(crate) fn recent(&self) -> Option<Result<(), String>> {
        self.as_of(Instant::now())
    }

    fn as_of(&self, now: Instant) -> Option<Result<(), String>> {
        let evidence = self.0.lock();
        let Evidence { at, answers } = evidence.as_ref()?;
        let good_for = if answers.is_ok() { GOOD_FOR } else { BAD_FOR };
        (now.duration_since(*at) < good_for).then(|| answers.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wasm::Response;

    fn after(answers: &[Answer]) -> Option<Result<(), String>> {
        let reachability = Reachability::default();
        answers.iter().for_each(|answer| reachability.record(answer));
        reachability.recent()
    }

    fn status(status: u16) -> Answer {
        Answer::Response(Response { status, headers: Vec::new(), body: Vec::new() })
    }

    #[test]
    fn given_answers_then_the_last_one_that_shows_anything_counts() {
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[status(200)]), Some(Ok(())));
        assert_eq!(after(&[status(503), status(200)]), Some(Ok(())));
        assert_eq!(after(&[status(200), status(422)]), Some(Ok(())));
        assert_eq!(after(&[status(422)]), None);
        assert_eq!(after(&[status(200), status(503)]), Some(Err("it answers 503".to_owned())));
        let silence = after(&[status(200), Answer::NoAnswer("connection refused".to_owned())]);
        assert_eq!(silence, Some(Err("it does not answer: connection refused".to_owned())));
    }

    #[test]
    fn given_an_answer_long_ago_then_nothing_is_known() {
        for (answer, good_for) in [(status(200), GOOD_FOR), (status(503), BAD_FOR)] {
            let reachability = Reachability::default();
            reachability.record(&answer);
            assert!(reachability.as_of(Instant::now()).is_some());
            assert_eq!(reachability.as_of(Instant::now() + good_for), None);
        }
    }
}
