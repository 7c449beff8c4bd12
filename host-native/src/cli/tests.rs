use super::*;

#[test]
fn the_command_line_is_consistent() {
    command().debug_assert();
}

#[test]
fn given_no_flags_then_every_setting_of_serve_is_left_to_the_other_layers() {
    let cli = Cli::try_from_arguments(["openinference-mlflow", "serve"]).unwrap();
    let Command::Serve(serve) = cli.command else { panic!("expected serve") };
    assert!(serve.destination.tracking_uri.is_none());
    assert!(serve.destination.insecure_tls.is_none());
    assert!(serve.receive.grpc_listen.is_none());
    assert!(serve.tuning.settle.is_none());
}

#[test]
fn given_a_switch_then_it_is_on_without_a_value_and_takes_one() {
    for (flag, expected) in [
        ("--insecure-tls", true),
        ("--insecure-tls=true", true),
        ("--insecure-tls=0", false),
        ("--insecure-tls=no", false),
    ] {
        let cli = Cli::try_from_arguments(["openinference-mlflow", "serve", flag]).unwrap();
        let Command::Serve(serve) = cli.command else { panic!("expected serve") };
        assert_eq!(serve.destination.insecure_tls, Some(expected), "{flag}");
    }
}

#[test]
fn given_help_then_it_names_the_environment_variables_and_not_their_values() {
    let help = command().find_subcommand_mut("serve").unwrap().render_long_help().to_string();
    for variable in ["MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "OPENINFERENCE_MLFLOW_GRPC_LISTEN"] {
        assert!(help.contains(&format!("[env: {variable}]")), "{variable} is missing in\n{help}");
    }
}

#[test]
fn given_a_password_flag_then_there_is_none() {
    for flag in ["--password=x", "--token=x", "--username=x"] {
        let error = Cli::try_from_arguments(["openinference-mlflow", "serve", flag]).unwrap_err();
        assert_eq!(error.kind(), clap::error::ErrorKind::UnknownArgument, "{flag}");
    }
}

#[test]
fn given_an_empty_or_malformed_value_then_it_is_refused() {
    for flag in ["--experiment=", "--experiment-id=abc", "--grpc-listen=4317", "--concurrency=0", "--settle=500"] {
        let error = Cli::try_from_arguments(["openinference-mlflow", "serve", flag]).unwrap_err();
        assert!(
            matches!(error.kind(), clap::error::ErrorKind::ValueValidation | clap::error::ErrorKind::InvalidValue),
            "{flag}: {error}"
        );
    }
}
