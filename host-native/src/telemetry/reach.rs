//! Whether MLflow answers, as its last answers show.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::wasm::Answer;

/// How long an answer shows that MLflow is there.
const GOOD_FOR: Duration = Duration::from_secs(30);
/// How long the want of one shows that it is not: it may be back sooner than the next delivery finds out.
const BAD_FOR: Duration = Duration::from_secs(5);

/// What is known. Clones know the same.
#[derive(Debug, Clone, Default)]
pub struct Reach(Arc<Mutex<Option<Evidence>>>);

#[derive(Debug)]
struct Evidence {
    at: Instant,
    answers: Result<(), String>,
}

impl Reach {
    /// Learn from the answer to a request.
    pub(super) fn note(&self, answer: &Answer) {
        let answers = match answer {
            Answer::NoAnswer(reason) => Err(format!("it does not answer: {reason}")),
            Answer::Response(response) => match response.status {
                200..=299 => Ok(()),
                status @ (401 | 403) => Err(format!("it answers {status}: the credentials are missing or wrong")),
                status @ (429 | 500..=599) => Err(format!("it answers {status}")),
                // It answers, and refuses what it was sent: it is there, or somebody before it is.
                _ => return,
            },
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Evidence { at: Instant::now(), answers });
    }

    /// Whether MLflow answers; none, when too long ago is known.
    pub(super) fn lately(&self) -> Option<Result<(), String>> {
        self.as_of(Instant::now())
    }

    fn as_of(&self, now: Instant) -> Option<Result<(), String>> {
        let evidence = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let reach = Reach::default();
        answers.iter().for_each(|answer| reach.note(answer));
        reach.lately()
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
            let reach = Reach::default();
            reach.note(&answer);
            assert!(reach.as_of(Instant::now()).is_some());
            assert_eq!(reach.as_of(Instant::now() + good_for), None);
        }
    }
}
