//! How the program proves who it is, to MLflow and to others, and that no text shows it.

use secrecy::ExposeSecret;

use super::*;

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
            Credentials::TokenFile(path) => path.display().to_string(),
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
fn given_a_token_file_then_its_content_is_the_token() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("token");
    std::fs::write(&path, "token\n").unwrap();
    let path = path.to_str().unwrap();
    let flags = ["--tracking-uri=http://host", "--token-file", path];
    let settings =
        Given { flags: &flags, environment: &[("MLFLOW_TRACKING_TOKEN", "weaker")], file: "" }.resolve().unwrap();
    let Credentials::TokenFile(found) = &server(&settings).credentials else { panic!("expected a token file") };
    assert_eq!(found.to_str(), Some(path));

    // A token of a stronger layer wins over a file of a weaker one.
    let file = format!("token_file = '{path}'");
    let settings =
        environment_and_file(&[("MLFLOW_TRACKING_URI", "http://host"), ("MLFLOW_TRACKING_TOKEN", "stronger")], &file)
            .unwrap();
    let Credentials::Bearer(token) = &server(&settings).credentials else { panic!("expected a token") };
    assert_eq!(token.expose_secret(), "stronger");

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

#[test]
fn given_certificates_for_destinations_to_forward_to_then_each_of_them_is_told() {
    let destinations = ("OPENINFERENCE_MLFLOW_FORWARD", "https://a:1,grpcs://b:2");
    let settings = environment_and_file(&[destinations], "").unwrap();
    assert!(settings.forward.iter().all(|endpoint| endpoint.trust == Trust::default()));
    let files = "forward_cert = '/ca.pem'\nforward_client_cert = '/own.pem'";
    let settings = environment_and_file(&[destinations], files).unwrap();
    let expected = Trust { verify: Tls::Authorities("/ca.pem".into()), identity: Some("/own.pem".into()) };
    assert_eq!(settings.forward.iter().map(|endpoint| &endpoint.trust).collect::<Vec<_>>(), [&expected, &expected]);
}

#[test]
fn given_a_certificate_of_this_program_then_mlflow_is_shown_it() {
    let environment = [("MLFLOW_TRACKING_URI", "https://host"), ("MLFLOW_TRACKING_CLIENT_CERT_PATH", "/own.pem")];
    let settings = environment_and_file(&environment, "").unwrap();
    assert_eq!(server(&settings).trust, Trust { verify: Tls::System, identity: Some("/own.pem".into()) });
}
