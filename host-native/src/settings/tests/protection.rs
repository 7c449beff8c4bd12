//! Who may connect, and what he may take.

use super::*;

#[test]
fn given_an_address_beyond_loopback_then_somebody_is_asked_or_it_is_said_in_so_many_words() {
    let senders = ["--auth-file=/senders"];
    let certificates = ["--tls-cert=/c", "--tls-key=/k", "--tls-client-ca=/ca"];
    let words = ["--allow-unauthenticated"];
    for address in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[::ffff:192.0.2.1]:1"] {
        for flag in ["--grpc-listen", "--http-listen"] {
            let listen = [flag, address];
            let exposed =
                |more: Flags<'_>| Given { flags: &[&listen, more].concat(), environment: &[], file: "" }.resolve();
            let said = message(exposed(&[]));
            assert!(
                said.contains(flag) && said.contains("hint:") && said.contains("--allow-unauthenticated"),
                "{said}"
            );
            assert!(matches!(exposed(&certificates[..2]), Err(SettingsError::Exposed { .. })), "TLS alone asks nobody");
            assert!(matches!(exposed(&["--allow-unauthenticated=false"]), Err(SettingsError::Exposed { .. })));
            for enough in [&senders[..], &certificates, &words] {
                assert!(exposed(enough).is_ok(), "{address} {enough:?}");
            }
        }
    }
    for address in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        assert!(environment_and_file(&[("OPENINFERENCE_MLFLOW_HTTP_LISTEN", address)], "").is_ok(), "{address}");
    }
}

#[test]
fn given_half_of_what_tls_needs_then_the_error_names_the_missing_half() {
    for (given, missing) in [("tls_cert", "--tls-key"), ("tls_key", "--tls-cert"), ("tls_client_ca", "--tls-cert")] {
        let said = message(environment_and_file(&[], &format!("{given} = '/file'")));
        assert!(said.contains(&format!("{missing} ")), "{said}");
    }
    let all = "tls_cert = '/c'\ntls_key = '/k'\ntls_client_ca = '/ca'";
    let tls = environment_and_file(&[], all).unwrap().access.tls.unwrap();
    assert_eq!(tls.paths(), ["/c", "/k", "/ca"].map(PathBuf::from));
}

#[test]
fn given_counts_in_several_places_then_flag_beats_environment_beats_file_beats_default() {
    let file = "max_connections = 1\nmax_requests = 2";
    let environment = [("OPENINFERENCE_MLFLOW_MAX_REQUESTS", "20")];
    let counts = |flags, environment, file| {
        let limits = Given { flags, environment, file }.resolve().unwrap().limits;
        (limits.connections, limits.requests)
    };
    assert_eq!(counts(&["--max-connections=100"], &environment, file), (100, 20));
    assert_eq!(counts(&[], &[], ""), (2048, 1024));
}

#[test]
fn given_limits_that_cannot_hold_a_request_then_the_error_says_what_would_do() {
    for (variable, value, expected) in [
        ("OPENINFERENCE_MLFLOW_MAX_INFLIGHT_SIZE", "1MiB", "--max-body-size"),
        ("OPENINFERENCE_MLFLOW_MAX_CONNECTIONS", "0", "OPENINFERENCE_MLFLOW_MAX_CONNECTIONS"),
    ] {
        let said = message(environment_and_file(&[(variable, value)], ""));
        assert!(said.contains(expected), "{said}");
    }
    let settings = environment_and_file(&[("OPENINFERENCE_MLFLOW_MAX_BODY_SIZE", "1GiB")], "").unwrap();
    assert_eq!(settings.limits.inflight_bytes, 4 << 30);
}
