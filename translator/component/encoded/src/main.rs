//! Writes the component to the file that is named: `cargo run -p openinference-mlflow-component-encoded -- FILE`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1).map(std::path::PathBuf::from) else {
        eprintln!("error: no file is named; usage: openinference-mlflow-component-encoded FILE");
        return ExitCode::FAILURE;
    };
    let written = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(&path, openinference_mlflow_component_encoded::COMPONENT));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {} cannot be written: {error}", path.display());
            ExitCode::FAILURE
        }
    }
}
