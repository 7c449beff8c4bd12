//! Flag beats environment beats file beats default, for every setting of `serve` that has one value.

use super::*;

/// A setting's flag; a value for the flag, the variable and the file; what is there without any; what reads it back.
type Row = (&'static str, [&'static str; 3], &'static str, fn(&Settings) -> String);

fn optional(value: &Option<impl ToString>) -> String {
    value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
}

fn limits(settings: &Settings, read: fn(&journal::JournalLimits) -> String) -> String {
    settings.journal.as_ref().map_or_else(|| "none".to_owned(), read)
}

const PRECEDENCE: &[Row] = &[
    (
        "--forward",
        ["http://flag:1/v1/traces", "http://variable:2/v1/traces", "http://file:3/v1/traces"],
        "",
        |settings| settings.forward.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    ),
    ("--journal-max-bytes", ["1MiB", "2MiB", "3MiB"], "8GiB", |settings| {
        limits(settings, |limits| format!("{}", ByteSize(limits.max_bytes)).replace(' ', "").replace(".0", ""))
    }),
    ("--journal-max-age", ["1h", "2h", "3h"], "7days", |settings| {
        limits(settings, |limits| humantime::format_duration(limits.max_age).to_string())
    }),
    ("--data-dir", ["/of/flag", "/of/variable", "/of/file"], "a directory of its own below the user's", |settings| {
        match settings.data_dir.ends_with("openinference-mlflow") {
            true => "a directory of its own below the user's".to_owned(),
            false => settings.data_dir.display().to_string(),
        }
    }),
    ("--tracking-uri", ["http://flag:1", "http://variable:2", "http://file:3"], "local", |settings| {
        settings.delivery.destination.server().map_or_else(|| "local".to_owned(), |server| server.uri.to_string())
    }),
    ("--experiment", ["of flag", "of variable", "of file"], "none", |settings| match &settings.delivery.experiment {
        Some(Experiment::Name(name) | Experiment::Id(name)) => name.clone(),
        None => "none".to_owned(),
    }),
    ("--experiment-id", ["1", "2", "3"], "none", |settings| match &settings.delivery.experiment {
        Some(Experiment::Name(name) | Experiment::Id(name)) => name.clone(),
        None => "none".to_owned(),
    }),
    ("--run-id", ["r1", "r2", "r3"], "none", |settings| optional(&settings.delivery.run_id)),
    ("--workspace", ["w1", "w2", "w3"], "none", |settings| optional(&settings.delivery.workspace)),
    ("--grpc-listen", ["127.0.0.1:1", "[::1]:2", "127.0.0.3:3"], "127.0.0.1:4317", |settings| {
        settings.receive.grpc_listen.to_string()
    }),
    ("--http-listen", ["127.0.0.1:1", "[::1]:2", "127.0.0.3:3"], "127.0.0.1:4318", |settings| {
        settings.receive.http_listen.to_string()
    }),
    ("--admin-listen", ["127.0.0.1:1", "off", "0.0.0.0:3"], "127.0.0.1:4319 if free", |settings| {
        match settings.admin {
            Admin::Off => "off".to_owned(),
            Admin::IfFree(address) => format!("{address} if free"),
            Admin::At(address) => address.to_string(),
        }
    }),
    ("--max-body-size", ["1KiB", "2KiB", "3KiB"], "32768KiB", |settings| {
        format!("{}KiB", settings.receive.max_body_bytes / 1024)
    }),
    ("--shutdown-timeout", ["1s", "2s", "3s"], "10s", |settings| {
        format!("{}s", settings.receive.shutdown_timeout.as_secs())
    }),
    ("--max-inflight-size", ["65MiB", "66MiB", "67MiB"], "128MiB", |settings| {
        format!("{}MiB", settings.limits.inflight_bytes >> 20)
    }),
    ("--handshake-timeout", ["1s", "2s", "3s"], "10s", |settings| {
        format!("{}s", settings.limits.handshake_timeout.as_secs())
    }),
    ("--header-timeout", ["1s", "2s", "3s"], "10s", |settings| {
        format!("{}s", settings.limits.header_timeout.as_secs())
    }),
    ("--body-timeout", ["1s", "2s", "3s"], "60s", |settings| format!("{}s", settings.limits.body_timeout.as_secs())),
    ("--idle-timeout", ["1s", "2s", "3s"], "300s", |settings| format!("{}s", settings.limits.idle_timeout.as_secs())),
    ("--auth-file", ["/of/flag", "/of/variable", "/of/file"], "none", |settings| {
        optional(&settings.access.auth_file.as_ref().map(|path| path.display()))
    }),
    ("--settle", ["1ms", "2ms", "3ms"], "none", |settings| {
        optional(&settings.delivery.tuning.settle_ms.map(|time| format!("{time}ms")))
    }),
];

/// The variable that the flag's declaration names.
fn variable_of(flag: &str) -> String {
    let serve = ServeArgs::augment_args(clap::Command::new("serve"));
    let serve = GlobalArgs::augment_args(serve);
    let arg = serve.get_arguments().find(|arg| arg.get_long() == flag.strip_prefix("--")).unwrap();
    arg.get_env().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn given_a_setting_in_several_places_then_flag_beats_environment_beats_file_beats_default() {
    for (name, [flag, variable, key], default, read) in PRECEDENCE {
        let flags = [*name, *flag];
        let set = variable_of(name);
        let environment = [(set.as_str(), *variable)];
        let file = match name.trim_start_matches('-').replace('-', "_").as_str() {
            "forward" => format!("forward = [\"{key}\"]\n"),
            file_key => format!("{file_key} = \"{key}\"\n"),
        };
        let cases: [(Flags<'_>, Variables<'_>, &str, &str); 5] = [
            (&flags, &environment, &file, flag),
            (&[], &environment, &file, variable),
            (&[], &[(&set, "")], &file, key),
            (&[], &[], &file, key),
            (&[], &[], "", default),
        ];
        for (flags, environment, file, expected) in cases {
            let settings = Given { flags, environment, file }.resolve().unwrap();
            assert_eq!(read(&settings), expected, "{flags:?} {environment:?} {file:?}");
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
