//! What a Databricks workspace must do: answer, and accept the token.
//!
//! How its OTLP endpoint answers an export without spans is not documented, so that whether the table takes spans shows
//! with the first of them.

use super::finding::Finding;
use super::server::ask;
use crate::exporter::mlflow::MlflowServer;
use crate::settings::UnityCatalog;

/// Every finding about a workspace.
pub(super) async fn examine(catalog: &UnityCatalog) -> Vec<Finding> {
    let client = match MlflowServer::new(&catalog.workspace) {
        Ok(client) => client,
        Err(error) => return vec![Finding::broken("server", error.to_string(), "")],
    };
    let uri = &catalog.workspace.uri;
    // Who the token belongs to, in Databricks' API.
    let status = match ask(&client, "GET", "api/2.0/preview/scim/v2/Me", Vec::new()).await {
        Ok(response) => response.status,
        Err(reason) => {
            let advice = "check DATABRICKS_HOST, or the profile's host";
            return vec![Finding::broken("server", format!("{uri}: {reason}"), advice)];
        }
    };
    let credentials = match status {
        200 => Finding::ok("credentials", "the token is accepted"),
        401 | 403 => Finding::broken(
            "credentials",
            format!("the workspace does not accept the token ({status})"),
            "renew DATABRICKS_TOKEN, or the profile's token",
        ),
        status => Finding::broken(
            "credentials",
            format!("the answer is {status}, which is not what a Databricks workspace would say"),
            "check DATABRICKS_HOST, or the profile's host",
        ),
    };
    let traces = format!("whether {} takes spans shows with the first of them", catalog.location);
    let advice = "grant USE_CATALOG, USE_SCHEMA, and MODIFY and SELECT on its tables to the token's owner";
    vec![Finding::ok("server", format!("{uri} answers")), credentials, Finding::warning("traces", traces, advice)]
}
