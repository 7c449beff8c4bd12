use std::path::PathBuf;

use super::*;
use crate::cli::{Cli, Command};

mod credentials;
mod kafka;
mod precedence;
mod protection;

type Flags<'a> = &'a [&'a str];
type Variables<'a> = &'a [(&'a str, &'a str)];

struct Given<'a> {
    flags: Flags<'a>,
    environment: Variables<'a>,
    file: &'a str,
}

impl Given<'_> {
    fn resolve(&self) -> Result<Settings, SettingsError> {
        let arguments = ["openinference-mlflow", "serve"].iter().chain(self.flags).copied();
        let cli = Cli::try_from_arguments(arguments).unwrap();
        let environment =
            self.environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let file = SettingsFile::parse(PathBuf::from("config.toml"), self.file.to_owned())?;
        let sources = Sources::new(environment, file);
        let global = sources.global(&cli.global)?;
        let Command::Serve(serve) = &cli.command else { panic!("expected serve") };
        sources.serve(serve, global.data_dir)
    }
}

fn server(settings: &Settings) -> &Server {
    match &settings.delivery.destination {
        Destination::Server(server) => server,
        other => panic!("expected a server, found {other:?}"),
    }
}

fn environment_and_file(environment: Variables<'_>, file: &str) -> Result<Settings, SettingsError> {
    Given { flags: &[], environment, file }.resolve()
}

fn message(result: Result<Settings, SettingsError>) -> String {
    result.expect_err("expected the settings to be refused").to_string()
}

#[test]
fn given_a_tracking_uri_that_is_no_server_then_the_error_says_what_is_supported() {
    for (uri, kind) in [
        ("file:///srv/mlruns", "a file store"),
        ("sqlite:///mlflow.db", "a database"),
        ("postgresql+psycopg2://ada:secret@db/mlflow", "a database"),
        ("databricks-uc://profile", "a registry of models"),
        ("./mlruns", "a path"),
        ("localhost:5000", "localhost"),
    ] {
        let said = message(environment_and_file(&[("MLFLOW_TRACKING_URI", uri)], ""));
        assert!(said.contains(kind) && said.contains("http or https") && said.contains("hint:"), "{uri}: {said}");
        assert!(!said.contains("secret"), "{said}");
    }
    let said = message(environment_and_file(&[("MLFLOW_TRACKING_URI", "http://")], ""));
    assert!(said.contains("not a valid URL"), "{said}");
}

#[test]
fn given_a_databricks_workspace_then_its_trace_location_is_needed() {
    let workspace = [
        ("MLFLOW_TRACKING_URI", "databricks"),
        ("DATABRICKS_HOST", "workspace.example.com/"),
        ("DATABRICKS_TOKEN", "s3cret"),
    ];
    let with = |location| environment_and_file(&workspace, &format!("trace_location = {location:?}"));
    let settings = with("main.traces.agent").unwrap();
    let Destination::UnityCatalog(catalog) = &settings.delivery.destination else { panic!("expected a workspace") };
    assert_eq!(catalog.workspace.uri.to_string(), "https://workspace.example.com");
    assert!(matches!(catalog.workspace.credentials, Credentials::Bearer(_)));
    let bridge = settings.delivery.bridge_settings(0);
    assert!(
        bridge.contains(r#""destination":"unity_catalog""#)
            && bridge.contains(r#""trace_location":"main.traces.agent""#)
    );
    for (said, part) in [
        (message(environment_and_file(&workspace, "")), "--trace-location"),
        (message(with("12345")), "an experiment's id"),
        (message(with("main..agent")), "catalog.schema.prefix"),
        (message(environment_and_file(&workspace[..2], "")), "DATABRICKS_TOKEN is not"),
    ] {
        assert!(said.contains(part) && !said.contains("s3cret"), "{said}");
    }
}

#[test]
fn given_a_variable_that_cannot_be_read_then_the_error_names_it_and_what_would_do() {
    for (variable, value, expected) in [
        ("OPENINFERENCE_MLFLOW_SETTLE", "500", "500ms"),
        ("OPENINFERENCE_MLFLOW_GRPC_LISTEN", "4317", "such as 127.0.0.1:4317"),
        ("MLFLOW_EXPERIMENT_ID", "my-agent", "is a number"),
        ("MLFLOW_TRACKING_INSECURE_TLS", "perhaps", "boolean"),
    ] {
        let said = message(environment_and_file(&[(variable, value)], ""));
        assert!(said.contains(variable) && said.contains(expected), "{said}");
    }
}

#[test]
fn given_a_bad_settings_file_then_the_error_says_where_and_shows_no_secret() {
    let said = message(environment_and_file(&[], "password = 'hunter2'\nsettle = 500\n"));
    assert!(said.contains("config.toml") && said.contains("line 2") && !said.contains("hunter2"), "{said}");
    let said = message(environment_and_file(&[("MLFLOW_TRACKING_URI", "http://host")], "\ntoken = 271828\n"));
    assert!(said.contains("line 2") && said.contains("quotes") && !said.contains("271828"), "{said}");
    let said = message(environment_and_file(&[], "experiment = 'a'\npassword = 'hunter2\n"));
    assert!(said.contains("line 2") && !said.contains("hunter2"), "{said}");
}

#[test]
fn given_an_unknown_key_then_the_error_names_the_nearest_known_one() {
    for (key, expected) in [
        ("tracking-uri", "did you mean tracking_uri?"),
        ("MLFLOW_TRACKING_URI", "did you mean tracking_uri?"),
        ("experimnt", "did you mean experiment?"),
        ("passwd", "did you mean password?"),
        ("zzz", "keys are the flags"),
    ] {
        let said = message(environment_and_file(&[], &format!("\"{key}\" = 'x'")));
        assert!(said.contains(key) && said.contains(expected), "{said}");
    }
}

#[test]
fn given_every_long_flag_of_serve_then_the_settings_file_knows_it_under_the_same_name() {
    let command = crate::cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    for flag in serve.get_arguments().filter_map(|arg| arg.get_long()) {
        let text = format!("{} = []", flag.replace('-', "_"));
        let refused = SettingsFile::parse(PathBuf::from("config.toml"), text);
        let unknown = matches!(refused, Err(SettingsError::UnknownKey { .. }));
        assert!(!unknown, "{flag} is not a key of the settings file");
    }
}

#[test]
fn given_a_settings_file_that_was_named_and_is_missing_then_that_is_an_error() {
    let missing = PathBuf::from("/nowhere/openinference-mlflow.toml");
    let said = SettingsFile::read(Some(&missing)).expect_err("expected an error").to_string();
    assert!(said.contains("/nowhere/openinference-mlflow.toml") && said.contains("hint:"), "{said}");
}

#[test]
fn given_a_certificate_and_insecure_tls_then_the_contradiction_is_refused() {
    let uri = ("MLFLOW_TRACKING_URI", "https://host");
    let cert = ("MLFLOW_TRACKING_SERVER_CERT_PATH", "/ca.pem");
    let settings = environment_and_file(&[uri, cert], "").unwrap();
    assert_eq!(server(&settings).trust.verify, Tls::Authorities(PathBuf::from("/ca.pem")));
    let settings = environment_and_file(&[uri, ("MLFLOW_TRACKING_INSECURE_TLS", "true")], "").unwrap();
    assert_eq!(server(&settings).trust.verify, Tls::Unverified);
    let said = message(environment_and_file(&[uri, cert, ("MLFLOW_TRACKING_INSECURE_TLS", "true")], ""));
    assert!(said.contains("--server-cert"), "{said}");
}

#[test]
fn given_tuning_then_the_bridge_is_told_what_was_set_and_nothing_else() {
    let environment = [
        ("OPENINFERENCE_MLFLOW_PARTIAL_INTERVAL", "1m"),
        ("OPENINFERENCE_MLFLOW_IDLE_LIMIT", "2m"),
        ("OPENINFERENCE_MLFLOW_REMEMBER", "1h"),
        ("OPENINFERENCE_MLFLOW_MAX_MEMORY", "1GiB"),
        ("OPENINFERENCE_MLFLOW_BATCH_SPANS", "64"),
        ("OPENINFERENCE_MLFLOW_BATCH_SIZE", "1MiB"),
        ("OPENINFERENCE_MLFLOW_CONCURRENCY", "2"),
        ("OPENINFERENCE_MLFLOW_REQUEST_TIMEOUT", "5s"),
        ("OPENINFERENCE_MLFLOW_RETRY_INITIAL", "1s"),
        ("OPENINFERENCE_MLFLOW_RETRY_MAX", "9s"),
        ("MLFLOW_TRACE_EXTRACT_ATTACHMENTS", "false"),
        ("OPENINFERENCE_MLFLOW_ATTACHMENT_MIN_SIZE", "1KiB"),
        ("MLFLOW_TRACE_MAX_ATTACHMENT_SIZE", "1000000"),
        ("MLFLOW_EXPERIMENT_NAME", "my \"agent\""),
    ];
    let settings = environment_and_file(&environment, "").unwrap();
    let passed: serde_json::Value = serde_json::from_str(&settings.delivery.bridge_settings(42)).unwrap();
    let expected = serde_json::json!({
        "destination": "local", "experiment_name": "my \"agent\"", "openinference_only": false, "seed": 42,
        "partial_ms": 60_000, "idle_ms": 120_000, "remember_ms": 3_600_000, "max_bytes": 1_073_741_824,
        "batch_spans": 64, "batch_bytes": 1_048_576, "concurrency": 2, "timeout_ms": 5_000,
        "retry_initial_ms": 1_000, "retry_max_ms": 9_000,
        "attachments": false, "attachment_min_bytes": 1_024, "attachment_max_bytes": 1_000_000,
    });
    assert_eq!(passed, expected);
    let settings = environment_and_file(&[("MLFLOW_TRACE_MAX_ATTACHMENT_SIZE", "0")], "").unwrap();
    assert_eq!(settings.delivery.tuning.attachment_max_bytes, Some(u64::MAX), "as MLflow's client reads it");
}
