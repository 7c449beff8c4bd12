//! Draws on standard output: in colour where it is a terminal and `NO_COLOR` is not set, as wide as the terminal.

use std::io::Write;

use super::draw;

/// The width where standard output is no terminal.
const DEFAULT_WIDTH: usize = 120;

/// Draw a trace of this experiment, if its root has ended. What cannot be drawn or written is passed over: the trace
/// itself is safe in its file.
pub fn print(experiment: &str, trace: &[u8]) {
    let width = terminal_size::terminal_size_of(std::io::stdout()).map_or(DEFAULT_WIDTH, |(width, _)| width.0.into());
    match draw(trace, experiment, width) {
        Ok(None) => {}
        Ok(Some(text)) => {
            let mut stdout = anstream::stdout().lock();
            // The reader may have closed the pipe.
            let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
        }
        Err(error) => tracing::warn!("a trace cannot be drawn: {error}"),
    }
}
