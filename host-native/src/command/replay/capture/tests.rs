use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;

const ID: &str = "0af7651916cd43dd8448eb211c80319c";

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, contents) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }
    dir
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The payloads of the only file, as text, with their encoding.
fn payloads(name: &str, contents: &[u8]) -> Vec<(String, Encoding)> {
    let dir = folder(&[(name, contents)]);
    let captured = read(&dir.path().join(name)).into_iter().map(|payload| payload.unwrap());
    captured
        .map(|captured| (String::from_utf8(captured.payload.to_vec()).unwrap(), captured.context.encoding))
        .collect()
}

fn frame(payload: &[u8]) -> Vec<u8> {
    [&u32::try_from(payload.len()).unwrap().to_be_bytes(), payload].concat()
}

#[test]
fn given_a_folder_then_files_with_payloads_are_found_in_the_order_of_their_names() {
    let dir = folder(&[
        ("b.pb", b""),
        ("a.json.gz", b""),
        ("deeper/c.jsonl", b""),
        ("notes.txt", b""),
        ("a.reason.json", b""),
        (".hidden.pb", b""),
        (".git/d.pb", b""),
    ]);
    let found = files(&[dir.path().to_path_buf()]);
    let found: Vec<_> = found.iter().map(|path| path.as_ref().unwrap().strip_prefix(dir.path()).unwrap()).collect();
    assert_eq!(found, [Path::new("a.json.gz"), Path::new("b.pb"), Path::new("deeper/c.jsonl")]);
}

#[test]
fn given_a_file_by_name_then_it_may_be_called_anything_and_a_missing_one_is_an_error() {
    let dir = folder(&[("capture.bin", b"\x0a\x00")]);
    assert!(files(&[dir.path().join("capture.bin")])[0].is_ok());
    let missing = files(&[dir.path().join("missing")]);
    assert!(missing[0].as_ref().unwrap_err().to_string().contains("missing"));
}

#[test]
fn given_one_payload_then_its_bytes_tell_its_encoding() {
    assert_eq!(payloads("a.pb", b"\x0a\x00"), [("\x0a\x00".to_owned(), Encoding::Protobuf)]);
    let pretty = "\n{\n  \"resourceSpans\": []\n}\n";
    assert_eq!(payloads("a.json", pretty.as_bytes()), [(pretty.to_owned(), Encoding::Json)]);
    let trace = "{\"info\": {\"trace_id\": \"tr-1\"}, \"data\": {\"spans\": []}}";
    assert_eq!(payloads("a.json", trace.as_bytes()), [(trace.to_owned(), Encoding::TraceJson)]);
}

#[test]
fn given_json_lines_then_each_is_a_payload_and_a_damaged_one_does_not_cost_the_others() {
    let lines = b"{\"resourceSpans\":[]}\n{\"resourceSpans\":\n\n{\"resourceSpans\":[{}]}\r\n";
    let payloads = payloads("spans.json", lines);
    assert_eq!(payloads.len(), 3);
    assert_eq!(payloads[2].0.trim(), "{\"resourceSpans\":[{}]}");
}

#[test]
fn given_payloads_with_their_lengths_then_each_is_one_and_a_torn_end_is_said() {
    let whole = [frame(b"\x0a\x00"), frame(b"\x0a\x01x")].concat();
    assert_eq!(payloads("a.proto", &whole).len(), 2);

    let dir = folder(&[("a.proto", &[&whole[..], &[0, 0, 0, 9, 1]].concat())]);
    let read = read(&dir.path().join("a.proto"));
    assert_eq!(read.iter().filter(|payload| payload.is_ok()).count(), 2);
    assert!(read[2].as_ref().unwrap_err().to_string().contains("payload 3"));
}

#[test]
fn given_garbage_then_it_is_passed_on_whole_for_the_translator_to_judge() {
    assert_eq!(payloads("a.pb", b"garbage"), [("garbage".to_owned(), Encoding::Protobuf)]);
}

#[test]
fn given_gzip_then_what_it_holds_is_read_and_a_broken_one_is_an_error() {
    assert_eq!(payloads("a.pb.gz", &gzipped(b"\x0a\x00")), [("\x0a\x00".to_owned(), Encoding::Protobuf)]);
    let mut torn = gzipped(b"\x0a\x00");
    torn.truncate(12);
    let dir = folder(&[("a.pb.gz", &torn)]);
    assert!(read(&dir.path().join("a.pb.gz"))[0].is_err());
}

#[test]
fn given_a_trace_of_the_local_folder_then_its_folder_names_the_experiment() {
    let trace = b"{\"info\": {}, \"data\": {}}";
    for (experiment, id, name) in
        [("my agent", None, Some("my agent")), ("team%2Fagent", None, Some("team/agent")), ("7", Some("7"), None)]
    {
        let file = format!("{experiment}/tr-{ID}.json");
        let dir = folder(&[(&file, trace)]);
        let captured = read(&dir.path().join(&file)).remove(0).unwrap();
        assert_eq!(captured.context.experiment_id.as_deref(), id);
        assert_eq!(captured.context.experiment_name.as_deref(), name);
        assert!(!captured.quarantined);
    }
}

#[test]
fn given_a_payload_that_was_quarantined_then_it_goes_where_its_sender_wanted_it() {
    let reason = b"{\"reason\": \"too large\", \"experiment_name\": \"agent\", \"run_id\": \"r1\"}";
    let dir = folder(&[("payload-2.pb", b"\x0a\x00"), ("payload-2.reason.json", reason)]);
    let captured = read(&dir.path().join("payload-2.pb")).remove(0).unwrap();
    assert_eq!(captured.context.experiment_name.as_deref(), Some("agent"));
    assert_eq!(captured.context.run_id.as_deref(), Some("r1"));
    assert!(captured.quarantined);
}
