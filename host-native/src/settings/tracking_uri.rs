//! The tracking URI: an http or https URL whose path ends in a slash, without the credentials that it may carry.

use reqwest::Url;
use secrecy::SecretString;

use super::SettingsError;
use super::credentials::Credentials;

/// An MLflow server's address, safe to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingUri(Url);

impl TrackingUri {
    /// Read what a person wrote. The second value is the credentials in the URI, if any.
    ///
    /// # Errors
    /// It is not an http or https URL; the error says which kinds of tracking URI are supported.
    pub fn parse(text: &str) -> Result<(Self, Option<Credentials>), SettingsError> {
        let text = text.trim();
        let mut url = match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => url,
            Ok(url) => return Err(SettingsError::UnsupportedUri { kind: kind_of_scheme(url.scheme()) }),
            Err(_) if text.starts_with("http:") || text.starts_with("https:") => {
                return Err(SettingsError::MalformedUri);
            }
            Err(_) => {
                return Err(SettingsError::UnsupportedUri {
                    kind: "a path, or an address without its scheme".to_owned(),
                });
            }
        };
        let credentials = credentials_in(&url);
        // Neither can fail for a URL with a host.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok((Self(url), credentials))
    }

    /// The URL that a request's relative path is joined to; its path ends in a slash.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl std::fmt::Display for TrackingUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

fn credentials_in(url: &Url) -> Option<Credentials> {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let password = url.password().filter(|_| !url.username().is_empty())?;
    Some(Credentials::Basic { username: decode(url.username()), password: SecretString::from(decode(password)) })
}

fn kind_of_scheme(scheme: &str) -> String {
    match scheme {
        "file" => "a file store".to_owned(),
        "databricks-uc" | "uc" => "a registry of models".to_owned(),
        scheme if ["sqlite", "postgresql", "mysql", "mssql"].iter().any(|name| scheme.starts_with(name)) => {
            "a database".to_owned()
        }
        scheme => format!("a URI of scheme {scheme}"),
    }
}
