//! Reads the destination of a payload from its request headers or gRPC metadata. An empty header counts as absent.

use http::HeaderMap;

use super::refusal::Refusal;
use crate::payload::{Encoding, PayloadContext};

const EXPERIMENT_ID: &str = "x-mlflow-experiment-id";
const EXPERIMENT_NAME: &str = "x-mlflow-experiment-name";
const RUN_ID: &str = "x-mlflow-run-id";
const WORKSPACE: &str = "x-mlflow-workspace";

/// Reads the headers.
pub(super) fn read(headers: &HeaderMap, encoding: Encoding) -> Result<PayloadContext, Refusal> {
    let experiment_id = value(headers, EXPERIMENT_ID)?;
    if let Some(id) = &experiment_id
        && !id.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(Refusal::Header(format!(
            "{EXPERIMENT_ID} is not a number; expected an id such as 1, or use {EXPERIMENT_NAME}"
        )));
    }
    Ok(PayloadContext {
        encoding,
        experiment_id,
        experiment_name: value(headers, EXPERIMENT_NAME)?,
        run_id: value(headers, RUN_ID)?,
        workspace: value(headers, WORKSPACE)?,
    })
}

fn value(headers: &HeaderMap, name: &str) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Err(_) => Err(Refusal::Header(format!("{name} is not UTF-8"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn given_every_header_then_the_context_has_all_of_them() {
        let headers = headers(&[
            ("x-mlflow-experiment-id", "7"),
            ("x-mlflow-experiment-name", "agents"),
            ("x-mlflow-run-id", "abc"),
            ("x-mlflow-workspace", "team"),
        ]);
        let context = read(&headers, Encoding::Json).unwrap();
        assert_eq!(context.encoding, Encoding::Json);
        assert_eq!(context.experiment_id.as_deref(), Some("7"));
        assert_eq!(context.experiment_name.as_deref(), Some("agents"));
        assert_eq!(context.run_id.as_deref(), Some("abc"));
        assert_eq!(context.workspace.as_deref(), Some("team"));
    }

    #[test]
    fn given_empty_headers_then_they_count_as_absent() {
        let headers = headers(&[("x-mlflow-experiment-id", ""), ("x-mlflow-experiment-name", "  ")]);
        let context = read(&headers, Encoding::Protobuf).unwrap();
        assert_eq!(context.experiment_id, None);
        assert_eq!(context.experiment_name, None);
    }

    #[test]
    fn given_an_experiment_id_that_is_no_number_then_the_refusal_names_the_other_header() {
        for id in ["agents", "-1", "1.5", "0x1"] {
            let refusal = read(&headers(&[("x-mlflow-experiment-id", id)]), Encoding::Protobuf).unwrap_err();
            assert!(refusal.to_string().contains("x-mlflow-experiment-name"), "{refusal}");
        }
    }
}
