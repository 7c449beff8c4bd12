//! `auth`: makes entries of the file of those who may send. A secret is printed once, to standard output and nowhere
//! else; the file has its hash.

use std::process::ExitCode;

use secrecy::ExposeSecret;

use crate::cli::{AuthAddArgs, AuthArgs, AuthCommand};
use crate::receiver::auth_file;
use crate::settings::Sources;

pub(super) fn run(args: &AuthArgs, sources: &Sources) -> anyhow::Result<ExitCode> {
    match &args.command {
        AuthCommand::Add(args) => add(args, sources),
    }
}

fn add(args: &AuthAddArgs, sources: &Sources) -> anyhow::Result<ExitCode> {
    let path = sources.auth_file(args.auth_file.as_ref())?;
    let name = &args.name;
    let (secret, usage) = if args.password {
        (auth_file::add_password(&path, name)?, "authorization=Basic%20<base64 of NAME:PASSWORD>")
    } else {
        (auth_file::add_token(&path, name)?, "authorization=Bearer%20<TOKEN>")
    };
    anstream::println!("{}", secret.expose_secret());
    anstream::eprintln!(
        "{name} may send now. This is shown once; {path} keeps its hash. An application that exports with OpenTelemetry \
         sends it with\n  OTEL_EXPORTER_OTLP_HEADERS={usage}",
        path = path.display()
    );
    Ok(ExitCode::SUCCESS)
}
