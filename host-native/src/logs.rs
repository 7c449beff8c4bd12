//! Log lines on standard error: what `RUST_LOG` lets through (`info` when it is not set), for people or as JSON.
//! Progress bars stay below them.

use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;

use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::cli::LogFormat;
use crate::settings::Environment;
use crate::telemetry::self_trace::SelfTrace;

/// A logging setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// `RUST_LOG` has no meaning.
    #[error(
        "RUST_LOG cannot be used: {0}; expected a level such as debug, or targets such as openinference_mlflow=debug,warn"
    )]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else in this process logs already.
    #[error("logging is set up already")]
    Twice,
}

/// Start logging for the rest of the process, and exporting the program's own spans if somebody wants them.
///
/// # Errors
/// `RUST_LOG` has no meaning, or logging was started before.
pub fn start(format: LogFormat, environment: &Environment, self_trace: Option<&SelfTrace>) -> Result<(), LogError> {
    let colours = io::stderr().is_terminal() && environment.get("NO_COLOR").is_none();
    let lines = lines(format, colours, || AboveBars).with_filter(filter(environment)?);
    let subscriber = Registry::default().with(lines).with(self_trace.map(SelfTrace::layer));
    subscriber.try_init().map_err(|_| LogError::Twice)
}

/// Where progress bars must be shown, so that log lines do not tear them apart.
pub fn bars() -> &'static MultiProgress {
    static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);
    &BARS
}

/// Standard error, above the progress bars. Each write is whole lines.
struct AboveBars;

impl Write for AboveBars {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        bars().suspend(|| io::stderr().write_all(lines)).map(|()| lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn filter(environment: &Environment) -> Result<EnvFilter, LogError> {
    Ok(EnvFilter::builder().parse(environment.get("RUST_LOG").unwrap_or("info"))?)
}

fn lines<W>(format: LogFormat, colours: bool, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        LogFormat::Human => lines.with_ansi(colours).with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter_text: &str) -> String {
        let environment: Environment = [("RUST_LOG".to_owned(), filter_text.to_owned())].into_iter().collect();
        let written = Lines::default();
        let writer = written.clone();
        let subscriber =
            Registry::default().with(lines(format, false, move || writer.clone())).with(filter(&environment).unwrap());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(topic = "server", "MLflow 3.17.2");
            tracing::debug!("a detail");
        });
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn given_no_rust_log_then_info_is_written_and_debug_is_not() {
        let lines = logged(LogFormat::Human, "");
        assert!(lines.contains("INFO MLflow 3.17.2 topic=\"server\"") && !lines.contains("a detail"), "{lines}");
    }

    #[test]
    fn given_rust_log_debug_then_details_are_written() {
        assert!(logged(LogFormat::Human, "debug").contains("a detail"));
    }

    #[test]
    fn given_json_then_each_line_is_an_object_with_the_fields_at_its_top() {
        let lines = logged(LogFormat::Json, "info");
        let line: serde_json::Value = serde_json::from_str(lines.trim_end()).unwrap();
        assert_eq!(
            (&line["level"], &line["message"], &line["topic"]),
            (&"INFO".into(), &"MLflow 3.17.2".into(), &"server".into())
        );
    }

    #[test]
    fn given_a_rust_log_without_meaning_then_the_error_says_what_would_do() {
        let environment: Environment = [("RUST_LOG".to_owned(), "a=b=c".to_owned())].into_iter().collect();
        let said = filter(&environment).unwrap_err().to_string();
        assert!(said.contains("RUST_LOG") && said.contains("debug"), "{said}");
    }
}
