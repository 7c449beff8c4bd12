//! The program `openinference-mlflow`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    openinference_mlflow::command::main()
}
