//! Captured and hand-built payloads, in `tests/fixtures/otlp`.

use std::path::{Path, PathBuf};

use openinference_mlflow_translator::contract::Encoding;

/// One payload.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The file's name without its ending, `-json` appended where there is a `.pb` of the same name.
    pub name: String,
    /// How it is encoded.
    pub encoding: Encoding,
    /// The body.
    pub body: Vec<u8>,
}

/// The folder of this crate.
pub fn tests_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All payloads, by name.
///
/// # Errors
/// The folder cannot be read.
pub fn all() -> std::io::Result<Vec<Fixture>> {
    let mut paths = Vec::new();
    find(&tests_dir().join("fixtures/otlp"), &mut paths)?;
    paths.sort();
    let read = |path: PathBuf| -> Option<std::io::Result<Fixture>> {
        let stem = path.file_stem()?.to_str()?.to_owned();
        let (encoding, name) = match path.extension()?.to_str()? {
            "pb" => (Encoding::Protobuf, stem),
            "json" if stem != "manifest" => (Encoding::Json, format!("{stem}-json")),
            _ => return None,
        };
        Some(std::fs::read(&path).map(|body| Fixture { name, encoding, body }))
    };
    paths.into_iter().filter_map(read).collect()
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}
