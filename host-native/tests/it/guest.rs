//! The translator in WebAssembly: what it is held to, and how it ends when it does not keep to it.

use openinference_mlflow::payload::Encoding;
use openinference_mlflow::wasm::{Cause, LoadError, OpenBridge, OpenError, Translator};
use openinference_mlflow_misbehaving::{HANGS, HOARDS, PANICS};

use crate::support::payload;
use crate::support::receivers::{TRANSLATOR, real_bridges};

/// How a call into this component ends.
fn end_of(component: &[u8]) -> Cause {
    let translator = Translator::from_component(component, None).unwrap();
    translator.translate(b"payload", Encoding::Protobuf, Encoding::Protobuf).unwrap_err().cause
}

#[test]
fn given_the_components_own_code_then_it_translates() {
    let translated = TRANSLATOR.translate(&payload::trace(1), Encoding::Protobuf, Encoding::Protobuf).unwrap();
    assert!(!translated.unwrap().payload.is_empty());
}

#[test]
fn given_a_guest_that_panics_then_the_trap_says_so() {
    let cause = end_of(PANICS);
    assert!(matches!(&cause, Cause::Other(text) if text.contains("unreachable")), "{cause}");
}

#[test]
fn given_a_guest_that_never_returns_then_it_is_stopped() {
    let cause = end_of(HANGS);
    assert!(matches!(cause, Cause::Runaway), "{cause}");
}

#[test]
fn given_a_guest_that_wants_all_memory_then_it_is_stopped_at_its_limit() {
    let cause = end_of(HOARDS);
    assert!(matches!(cause, Cause::OutOfMemory), "{cause}");
}

#[test]
fn given_bytes_that_are_no_component_then_loading_fails() {
    let error = Translator::from_component(b"not a component", None).err().unwrap();
    assert!(matches!(error, LoadError::Runtime(_)), "{error}");
}

#[test]
fn given_settings_that_the_translator_does_not_know_then_it_says_which() {
    let settings = r#"{"no_such_setting": 1}"#.to_owned();
    let bridges = TRANSLATOR.bridges(settings, openinference_mlflow::wasm::MemoryLimit::for_bridge(1 << 20, 1 << 20));
    let error = bridges.open().err().unwrap();
    assert!(matches!(&error, OpenError::Settings(text) if text.contains("no_such_setting")), "{error}");
    assert!(real_bridges().open().is_ok());
}

#[test]
fn given_a_folder_for_compiled_code_then_the_second_start_finds_it() {
    let dir = tempfile::tempdir().unwrap();
    let cache = dir.path().join("cache");
    Translator::load(Some(&cache)).unwrap();
    assert!(cache.read_dir().unwrap().next().is_some());
    let translator = Translator::load(Some(&cache)).unwrap();
    assert!(translator.translate(&payload::trace(1), Encoding::Protobuf, Encoding::Protobuf).is_ok());
}

#[test]
fn given_a_folder_that_cannot_be_used_then_the_translator_is_compiled_all_the_same() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(Translator::load(Some(&file.path().join("below a file"))).is_ok());
}
