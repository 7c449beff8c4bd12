//! Reads the destination of a payload from its request headers or gRPC metadata. An empty header counts as absent.

use http::HeaderMap;

use super::refusal::Refusal;
use crate::payload::{Encoding, PayloadContext};

/// Reads the headers.
pub(super) fn read(headers: &HeaderMap, encoding: Encoding) -> Result<PayloadContext, Refusal> {
    let value = |name: &str| headers.get(name).map(|value| value.as_bytes());
    PayloadContext::read(encoding, value).map_err(Refusal::Header)
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
