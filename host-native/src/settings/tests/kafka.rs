//! Which topic to read, and that no secret of it shows.

use secrecy::ExposeSecret;

use super::*;
use crate::payload::Encoding;

const BROKERS: &str = "--kafka-brokers=broker:9092";

fn kafka(flags: Flags<'_>, environment: Variables<'_>, file: &str) -> Result<Kafka, SettingsError> {
    Given { flags, environment, file }.resolve().map(|settings| settings.kafka.unwrap())
}

fn properties(kafka: &Kafka) -> Vec<(&str, &str)> {
    kafka.config.iter().map(|(key, value)| (key.as_str(), value.expose_secret())).collect()
}

#[test]
fn given_brokers_alone_then_the_rest_is_as_the_collector_names_it() {
    assert!(environment_and_file(&[], "").unwrap().kafka.is_none());
    let kafka = kafka(&[BROKERS], &[], "").unwrap();
    assert_eq!(kafka.brokers, "broker:9092");
    assert_eq!((kafka.topic.as_str(), kafka.group.as_str()), ("otlp_spans", "openinference-mlflow"));
    assert_eq!((kafka.encoding, kafka.max_inflight_bytes), (Encoding::Protobuf, 64 << 20));
    assert!(kafka.dead_letter_topic.is_none() && kafka.config.is_empty());
}

#[test]
fn given_settings_in_the_environment_and_the_file_then_they_are_read() {
    let environment = [
        ("OPENINFERENCE_MLFLOW_KAFKA_BROKERS", "a:1,b:2"),
        ("OPENINFERENCE_MLFLOW_KAFKA_CONFIG", "sasl.password=hunter2,debug=cgrp,topic,client.id=me"),
    ];
    let file = "kafka_topic = 'spans'\nkafka_encoding = 'otlp_json'\nkafka_config = ['client.id=you']";
    let kafka = kafka(&[], &environment, file).unwrap();
    assert_eq!((kafka.brokers.as_str(), kafka.topic.as_str(), kafka.encoding), ("a:1,b:2", "spans", Encoding::Json));
    assert_eq!(properties(&kafka), [("sasl.password", "hunter2"), ("debug", "cgrp,topic"), ("client.id", "me")]);
    assert!(!format!("{kafka:?}").contains("hunter2"));
}

#[test]
fn given_a_file_of_properties_then_it_is_read_and_single_properties_win() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("client.properties");
    std::fs::write(&path, "# ours\nsecurity.protocol=SASL_SSL\n\n sasl.password = hunter=2\n").unwrap();
    let file = format!("--kafka-config-file={}", path.display());
    let found = kafka(&[BROKERS, &file, "--kafka-config=security.protocol=ssl"], &[], "").unwrap();
    assert_eq!(properties(&found), [("sasl.password", "hunter=2"), ("security.protocol", "ssl")]);
    let said = kafka(&[BROKERS, "--kafka-config-file=/none"], &[], "").unwrap_err().to_string();
    assert!(said.contains("--kafka-config-file") && said.contains("/none"), "{said}");
}

#[test]
fn given_a_property_that_cannot_be_used_then_it_is_named_and_no_secret_is() {
    for (flag, expected) in [
        ("--kafka-config=sasl.password=hunter2", "sasl.password shows in process lists"),
        (
            "--kafka-config=sasl.oauthbearer.assertion.private.key.passphrase=hunter2",
            "passphrase shows in process lists",
        ),
        ("--kafka-config=sasl.mechanism=OAUTHBEARER", "SCRAM-SHA-512"),
        ("--kafka-config=group.id=mine", "--kafka-group"),
        ("--kafka-config=enable.auto.commit=true", "MLflow has everything"),
        ("--kafka-config=hunter2", "key=value"),
        ("--kafka-config==hunter2", "key=value"),
    ] {
        let said = kafka(&[BROKERS, flag], &[], "").unwrap_err().to_string();
        assert!(said.contains(expected) && !said.contains("hunter2"), "{flag}: {said}");
    }
}

#[test]
fn given_no_receivers_then_something_else_must_be_there_and_their_addresses_do_not_matter() {
    let said = message(environment_and_file(&[("OPENINFERENCE_MLFLOW_NO_RECEIVERS", "true")], ""));
    assert!(said.contains("--kafka-brokers"), "{said}");
    let flags = [BROKERS, "--no-receivers", "--grpc-listen=0.0.0.0:4317"];
    let settings = Given { flags: &flags, environment: &[], file: "" }.resolve().unwrap();
    assert!(!settings.receive.listen);
}

#[test]
fn given_a_password_in_the_settings_file_then_others_must_not_read_the_file() {
    let file = |text: &str| SettingsFile::parse(PathBuf::from("config.toml"), text.to_owned()).unwrap();
    assert!(file("kafka_config = ['sasl.password=hunter2']").holds_secrets());
    assert!(!file("kafka_config = ['security.protocol=ssl']").holds_secrets());
}
