use std::path::PathBuf;

use super::*;
use crate::cli::{Cli, Command};

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
        Destination::Local => panic!("expected a server"),
    }
}

fn environment_and_file(environment: Variables<'_>, file: &str) -> Result<Settings, SettingsError> {
    Given { flags: &[], environment, file }.resolve()
}

fn message(result: Result<Settings, SettingsError>) -> String {
    result.expect_err("expected the settings to be refused").to_string()
}

/// One row: a setting's flag, variable and file key with three different values, and what reads it back.
struct Row {
    flag: &'static str,
    variable: &'static str,
    key: &'static str,
    values: [&'static str; 3],
    default: &'static str,
    read: fn(&Settings) -> String,
}

fn optional(value: &Option<impl ToString>) -> String {
    value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
}

fn limits(settings: &Settings, read: fn(&journal::Limits) -> String) -> String {
    settings.journal.as_ref().map_or_else(|| "none".to_owned(), read)
}

const PRECEDENCE: &[Row] = &[
    Row {
        flag: "--forward",
        variable: "OPENINFERENCE_MLFLOW_FORWARD",
        key: "forward",
        values: ["http://flag:1/v1/traces", "http://variable:2/v1/traces", "http://file:3/v1/traces"],
        default: "",
        read: |settings| settings.forward.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    },
    Row {
        flag: "--journal-max-bytes",
        variable: "OPENINFERENCE_MLFLOW_JOURNAL_MAX_BYTES",
        key: "journal_max_bytes",
        values: ["1MiB", "2MiB", "3MiB"],
        default: "8GiB",
        read: |settings| {
            limits(settings, |limits| format!("{}", ByteSize(limits.max_bytes)).replace(' ', "").replace(".0", ""))
        },
    },
    Row {
        flag: "--journal-max-age",
        variable: "OPENINFERENCE_MLFLOW_JOURNAL_MAX_AGE",
        key: "journal_max_age",
        values: ["1h", "2h", "3h"],
        default: "7days",
        read: |settings| limits(settings, |limits| humantime::format_duration(limits.max_age).to_string()),
    },
    Row {
        flag: "--data-dir",
        variable: "OPENINFERENCE_MLFLOW_DATA_DIR",
        key: "data_dir",
        values: ["/of/flag", "/of/variable", "/of/file"],
        default: "a directory of its own below the user's",
        read: |settings| match settings.data_dir.ends_with("openinference-mlflow") {
            true => "a directory of its own below the user's".to_owned(),
            false => settings.data_dir.display().to_string(),
        },
    },
    Row {
        flag: "--tracking-uri",
        variable: "MLFLOW_TRACKING_URI",
        key: "tracking_uri",
        values: ["http://flag:1", "http://variable:2", "http://file:3"],
        default: "local",
        read: |settings| match &settings.delivery.destination {
            Destination::Server(server) => server.uri.to_string(),
            Destination::Local => "local".to_owned(),
        },
    },
    Row {
        flag: "--experiment",
        variable: "MLFLOW_EXPERIMENT_NAME",
        key: "experiment",
        values: ["of flag", "of variable", "of file"],
        default: "none",
        read: |settings| match &settings.delivery.experiment {
            Some(Experiment::Name(name) | Experiment::Id(name)) => name.clone(),
            None => "none".to_owned(),
        },
    },
    Row {
        flag: "--experiment-id",
        variable: "MLFLOW_EXPERIMENT_ID",
        key: "experiment_id",
        values: ["1", "2", "3"],
        default: "none",
        read: |settings| match &settings.delivery.experiment {
            Some(Experiment::Name(name) | Experiment::Id(name)) => name.clone(),
            None => "none".to_owned(),
        },
    },
    Row {
        flag: "--run-id",
        variable: "MLFLOW_RUN_ID",
        key: "run_id",
        values: ["r1", "r2", "r3"],
        default: "none",
        read: |settings| optional(&settings.delivery.run_id),
    },
    Row {
        flag: "--workspace",
        variable: "MLFLOW_WORKSPACE",
        key: "workspace",
        values: ["w1", "w2", "w3"],
        default: "none",
        read: |settings| optional(&settings.delivery.workspace),
    },
    Row {
        flag: "--grpc-listen",
        variable: "OPENINFERENCE_MLFLOW_GRPC_LISTEN",
        key: "grpc_listen",
        values: ["127.0.0.1:1", "[::1]:2", "127.0.0.3:3"],
        default: "127.0.0.1:4317",
        read: |settings| settings.receive.grpc_listen.to_string(),
    },
    Row {
        flag: "--http-listen",
        variable: "OPENINFERENCE_MLFLOW_HTTP_LISTEN",
        key: "http_listen",
        values: ["127.0.0.1:1", "[::1]:2", "127.0.0.3:3"],
        default: "127.0.0.1:4318",
        read: |settings| settings.receive.http_listen.to_string(),
    },
    Row {
        flag: "--admin-listen",
        variable: "OPENINFERENCE_MLFLOW_ADMIN_LISTEN",
        key: "admin_listen",
        values: ["127.0.0.1:1", "off", "0.0.0.0:3"],
        default: "127.0.0.1:4319 if free",
        read: |settings| match settings.admin {
            Admin::Off => "off".to_owned(),
            Admin::IfFree(address) => format!("{address} if free"),
            Admin::At(address) => address.to_string(),
        },
    },
    Row {
        flag: "--max-body-size",
        variable: "OPENINFERENCE_MLFLOW_MAX_BODY_SIZE",
        key: "max_body_size",
        values: ["1KiB", "2KiB", "3KiB"],
        default: "65536KiB",
        read: |settings| format!("{}KiB", settings.receive.max_body_bytes / 1024),
    },
    Row {
        flag: "--shutdown-timeout",
        variable: "OPENINFERENCE_MLFLOW_SHUTDOWN_TIMEOUT",
        key: "shutdown_timeout",
        values: ["1s", "2s", "3s"],
        default: "10s",
        read: |settings| format!("{}s", settings.receive.shutdown_timeout.as_secs()),
    },
    Row {
        flag: "--max-inflight-size",
        variable: "OPENINFERENCE_MLFLOW_MAX_INFLIGHT_SIZE",
        key: "max_inflight_size",
        values: ["65MiB", "66MiB", "67MiB"],
        default: "256MiB",
        read: |settings| format!("{}MiB", settings.limits.inflight_bytes >> 20),
    },
    Row {
        flag: "--max-header-size",
        variable: "OPENINFERENCE_MLFLOW_MAX_HEADER_SIZE",
        key: "max_header_size",
        values: ["9KiB", "10KiB", "11KiB"],
        default: "32KiB",
        read: |settings| format!("{}KiB", settings.limits.header_bytes >> 10),
    },
    Row {
        flag: "--handshake-timeout",
        variable: "OPENINFERENCE_MLFLOW_HANDSHAKE_TIMEOUT",
        key: "handshake_timeout",
        values: ["1s", "2s", "3s"],
        default: "10s",
        read: |settings| format!("{}s", settings.limits.handshake_timeout.as_secs()),
    },
    Row {
        flag: "--header-timeout",
        variable: "OPENINFERENCE_MLFLOW_HEADER_TIMEOUT",
        key: "header_timeout",
        values: ["1s", "2s", "3s"],
        default: "10s",
        read: |settings| format!("{}s", settings.limits.header_timeout.as_secs()),
    },
    Row {
        flag: "--body-timeout",
        variable: "OPENINFERENCE_MLFLOW_BODY_TIMEOUT",
        key: "body_timeout",
        values: ["1s", "2s", "3s"],
        default: "60s",
        read: |settings| format!("{}s", settings.limits.body_timeout.as_secs()),
    },
    Row {
        flag: "--idle-timeout",
        variable: "OPENINFERENCE_MLFLOW_IDLE_TIMEOUT",
        key: "idle_timeout",
        values: ["1s", "2s", "3s"],
        default: "300s",
        read: |settings| format!("{}s", settings.limits.idle_timeout.as_secs()),
    },
    Row {
        flag: "--auth-file",
        variable: "OPENINFERENCE_MLFLOW_AUTH_FILE",
        key: "auth_file",
        values: ["/of/flag", "/of/variable", "/of/file"],
        default: "none",
        read: |settings| optional(&settings.access.auth_file.as_ref().map(|path| path.display())),
    },
    Row {
        flag: "--settle",
        variable: "OPENINFERENCE_MLFLOW_SETTLE",
        key: "settle",
        values: ["1ms", "2ms", "3ms"],
        default: "none",
        read: |settings| optional(&settings.delivery.tuning.settle_ms.map(|time| format!("{time}ms"))),
    },
];

#[test]
fn given_a_setting_in_several_places_then_flag_beats_environment_beats_file_beats_default() {
    for row in PRECEDENCE {
        let [flag, variable, key] = row.values;
        let flags = [row.flag, flag];
        let environment = [(row.variable, variable)];
        let file = match row.key {
            "forward" => format!("forward = [\"{key}\"]\n"),
            _ => format!("{} = \"{key}\"\n", row.key),
        };
        let cases: [(Flags<'_>, Variables<'_>, &str, &str); 5] = [
            (&flags, &environment, &file, flag),
            (&[], &environment, &file, variable),
            (&[], &[(row.variable, "")], &file, key),
            (&[], &[], &file, key),
            (&[], &[], "", row.default),
        ];
        for (flags, environment, file, expected) in cases {
            let settings = Given { flags, environment, file }.resolve().unwrap();
            assert_eq!((row.read)(&settings), expected, "{flags:?} {environment:?} {file:?}");
        }
    }
}

#[test]
fn given_a_switch_in_several_places_then_the_strongest_decides_also_when_it_says_no() {
    for (flags, variable, file, expected) in [
        (&["--openinference-only=false"][..], "true", "openinference_only = true", false),
        (&["--openinference-only"][..], "false", "", true),
        (&[][..], "0", "openinference_only = true", false),
        (&[][..], "", "openinference_only = true", true),
        (&[][..], "", "", false),
    ] {
        let environment = &[("OPENINFERENCE_MLFLOW_OPENINFERENCE_ONLY", variable)];
        let settings = Given { flags, environment, file }.resolve().unwrap();
        assert_eq!(settings.delivery.openinference_only, expected, "{flags:?} {variable:?} {file:?}");
    }
}

#[test]
fn given_experiments_by_name_and_by_id_then_the_strongest_place_wins_and_within_it_the_id() {
    let id_in_environment = &[("MLFLOW_EXPERIMENT_ID", "7")];
    let both = &[("MLFLOW_EXPERIMENT_ID", "7"), ("MLFLOW_EXPERIMENT_NAME", "seven")];
    let cases: [(Flags<'_>, Variables<'_>, &str, Experiment); 4] = [
        (&["--experiment", "typed"], id_in_environment, "", Experiment::Name("typed".into())),
        (&["--experiment", "typed", "--experiment-id", "3"], both, "", Experiment::Id("3".into())),
        (&[], both, "", Experiment::Id("7".into())),
        (&[], &[("MLFLOW_EXPERIMENT_NAME", "seven")], "experiment_id = \"5\"", Experiment::Name("seven".into())),
    ];
    for (flags, environment, file, expected) in cases {
        let settings = Given { flags, environment, file }.resolve().unwrap();
        assert_eq!(settings.delivery.experiment, Some(expected), "{flags:?} {environment:?} {file:?}");
    }
}

#[test]
fn given_a_tracking_uri_then_its_path_is_kept_and_its_credentials_are_taken_out() {
    let settings =
        environment_and_file(&[("MLFLOW_TRACKING_URI", "https://ada:p%40ss@host:8443/mlflow?x=1")], "").unwrap();
    let server = server(&settings);
    assert_eq!(server.uri.as_url().as_str(), "https://host:8443/mlflow/");
    let Credentials::Basic { username, password } = &server.credentials else { panic!("expected basic") };
    assert_eq!((username.as_str(), password.expose_secret()), ("ada", "p@ss"));
}

#[test]
fn given_a_tracking_uri_that_is_no_server_then_the_error_says_what_is_supported() {
    for (uri, kind) in [
        ("file:///srv/mlruns", "a file store"),
        ("sqlite:///mlflow.db", "a database"),
        ("postgresql+psycopg2://ada:secret@db/mlflow", "a database"),
        ("databricks", "a Databricks workspace"),
        ("databricks://profile", "a Databricks workspace"),
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
fn given_several_credentials_then_the_strongest_place_wins_and_within_it_user_name_and_password() {
    const URI: (&str, &str) = ("MLFLOW_TRACKING_URI", "http://from:uri@host");
    let basic = [URI, ("MLFLOW_TRACKING_USERNAME", "ada"), ("MLFLOW_TRACKING_PASSWORD", "pw")];
    let all = [basic[0], basic[1], basic[2], ("MLFLOW_TRACKING_TOKEN", "tok")];
    let token = [URI, ("MLFLOW_TRACKING_TOKEN", "tok")];
    let cases: [(Variables<'_>, &str, &str); 6] = [
        (&all, "", "ada:pw"),
        (&token, "username = 'file'\npassword = 'file'", "tok"),
        (&basic, "token = 'file'", "ada:pw"),
        (&[URI, ("MLFLOW_TRACKING_PASSWORD", "pw")], "username = 'grace'", "grace:pw"),
        (&[URI], "token = 'file'", "file"),
        (&[URI], "", "from:uri"),
    ];
    for (environment, file, expected) in cases {
        let settings = environment_and_file(environment, file).unwrap();
        let found = match &server(&settings).credentials {
            Credentials::None => String::new(),
            Credentials::Basic { username, password } => format!("{username}:{}", password.expose_secret()),
            Credentials::Bearer(token) => token.expose_secret().to_owned(),
        };
        assert_eq!(found, expected, "{environment:?} {file:?}");
    }
}

#[test]
fn given_half_of_the_credentials_then_the_error_names_the_missing_half() {
    let uri = ("MLFLOW_TRACKING_URI", "http://host");
    let said = message(environment_and_file(&[uri, ("MLFLOW_TRACKING_USERNAME", "ada")], ""));
    assert!(said.contains("MLFLOW_TRACKING_PASSWORD is not"), "{said}");
    let said = message(environment_and_file(&[uri, ("MLFLOW_TRACKING_PASSWORD", "hunter2")], ""));
    assert!(said.contains("MLFLOW_TRACKING_USERNAME is not") && !said.contains("hunter2"), "{said}");
}

#[test]
fn given_a_token_file_then_its_trimmed_content_is_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, "from-file\n").unwrap();
    let path = path.to_str().unwrap();
    let flags = ["--tracking-uri=http://host", "--token-file", path];
    let settings =
        Given { flags: &flags, environment: &[("MLFLOW_TRACKING_TOKEN", "weaker")], file: "" }.resolve().unwrap();
    let Credentials::Bearer(token) = &server(&settings).credentials else { panic!("expected a token") };
    assert_eq!(token.expose_secret(), "from-file");

    let flags = ["--tracking-uri=http://host", "--token-file", "/nowhere/token"];
    let said = message(Given { flags: &flags, environment: &[], file: "" }.resolve());
    assert!(said.contains("/nowhere/token"), "{said}");
}

#[test]
fn given_settings_with_secrets_then_neither_debug_output_nor_bridge_settings_show_them() {
    let environment = [("MLFLOW_TRACKING_URI", "http://ada:uri-secret@host"), ("MLFLOW_TRACKING_TOKEN", "env-secret")];
    let file = "username = 'grace'\npassword = 'file-secret'";
    let settings = environment_and_file(&environment, file).unwrap();
    for shown in [format!("{settings:?}"), settings.delivery.bridge_settings(1)] {
        assert!(!shown.contains("secret"), "{shown}");
    }
    let cli = Cli::try_from_arguments(["x", "serve", "--tracking-uri=http://ada:uri-secret@host"]).unwrap();
    assert!(!format!("{cli:?}").contains("uri-secret"));
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
    assert_eq!(server(&settings).tls, Tls::Authorities(PathBuf::from("/ca.pem")));
    let settings = environment_and_file(&[uri, ("MLFLOW_TRACKING_INSECURE_TLS", "true")], "").unwrap();
    assert_eq!(server(&settings).tls, Tls::Unverified);
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
        ("MLFLOW_EXPERIMENT_NAME", "my \"agent\""),
    ];
    let settings = environment_and_file(&environment, "").unwrap();
    let told: serde_json::Value = serde_json::from_str(&settings.delivery.bridge_settings(42)).unwrap();
    let expected = serde_json::json!({
        "destination": "local", "experiment_name": "my \"agent\"", "openinference_only": false, "seed": 42,
        "partial_ms": 60_000, "idle_ms": 120_000, "remember_ms": 3_600_000, "max_bytes": 1_073_741_824,
        "batch_spans": 64, "batch_bytes": 1_048_576, "concurrency": 2, "timeout_ms": 5_000,
        "retry_initial_ms": 1_000, "retry_max_ms": 9_000,
    });
    assert_eq!(told, expected);
}

#[test]
fn given_destinations_to_forward_to_then_their_headers_come_from_the_environment_or_the_file_and_are_not_shown() {
    let destinations = ("OPENINFERENCE_MLFLOW_FORWARD", "http://a:1,grpc://b:2");
    let in_file = "forward_headers = 'grpc://b:2 x-key=s3cret'";
    let settings = environment_and_file(&[destinations], in_file).unwrap();
    assert_eq!(settings.forward[1].headers["x-key"], "s3cret");
    assert!(settings.forward[0].headers.is_empty() && !format!("{settings:?}").contains("s3cret"));
    let headers = ("OPENINFERENCE_MLFLOW_FORWARD_HEADERS", "http://a:1 x-key=s3cret2");
    let settings = environment_and_file(&[destinations, headers], in_file).unwrap();
    assert_eq!(settings.forward[0].headers["x-key"], "s3cret2");
    assert!(settings.forward[1].headers.is_empty());
    let said = message(environment_and_file(&[destinations], "no_journal = true"));
    assert!(said.contains("--no-journal"), "{said}");
}
