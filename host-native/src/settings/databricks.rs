//! A Databricks workspace as tracking URI: `databricks`, or `databricks://PROFILE`.
//!
//! Host and token are looked up as Databricks' own tools do: `DATABRICKS_HOST` and `DATABRICKS_TOKEN` win, and a profile
//! brings what they leave open. It is the one that the URI names, else `DATABRICKS_CONFIG_PROFILE`; without both, and
//! without the variables, `DEFAULT`. Profiles are in the file of `DATABRICKS_CONFIG_FILE`, else in `~/.databrickscfg`.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::SettingsError;
use super::environment::Environment;

/// A workspace's address as it was written, and the token for it.
#[derive(Debug)]
pub(super) struct Access {
    pub(super) host: String,
    pub(super) token: SecretString,
}

/// The workspace that a tracking URI names; none if the URI is not one of Databricks.
pub(super) fn access(uri: &str, environment: &Environment) -> Option<Result<Access, SettingsError>> {
    let rest = uri.trim().strip_prefix("databricks")?;
    let profile = if rest.is_empty() { "" } else { rest.strip_prefix("://")?.trim_end_matches('/') };
    Some(find(profile, environment).map_err(|reason| SettingsError::Databricks { reason }))
}

fn find(named: &str, environment: &Environment) -> Result<Access, String> {
    if named.contains(':') {
        return Err("a secret scope in the tracking URI is not supported".to_owned());
    }
    let named = Some(named).filter(|name| !name.is_empty()).or_else(|| environment.get("DATABRICKS_CONFIG_PROFILE"));
    let profile = match (named, environment.get("DATABRICKS_HOST"), environment.get("DATABRICKS_TOKEN")) {
        (None, Some(_), None) => return Err("DATABRICKS_HOST is set, but DATABRICKS_TOKEN is not".to_owned()),
        (None, None, Some(_)) => return Err("DATABRICKS_TOKEN is set, but DATABRICKS_HOST is not".to_owned()),
        (None, Some(_), Some(_)) => None,
        (named, ..) => Some(Profile::read(file(environment)?, named.unwrap_or("DEFAULT"))?),
    };
    let value = |variable: &str, key| match (environment.get(variable), &profile) {
        (Some(value), _) => Ok(value.to_owned()),
        (None, Some(profile)) => profile.value(key),
        (None, None) => Err(format!("{variable} is not set")),
    };
    let host = value("DATABRICKS_HOST", "host")?;
    let host = if host.contains("://") { host } else { format!("https://{host}") };
    Ok(Access { host, token: SecretString::from(value("DATABRICKS_TOKEN", "token")?) })
}

fn file(environment: &Environment) -> Result<PathBuf, String> {
    let home = || environment.get("HOME").or_else(|| environment.get("USERPROFILE"));
    let in_home = || home().map(|home| Path::new(home).join(".databrickscfg"));
    let file = environment.get("DATABRICKS_CONFIG_FILE").map(PathBuf::from).or_else(in_home);
    file.ok_or_else(|| "neither DATABRICKS_HOST and DATABRICKS_TOKEN nor a home directory is set".to_owned())
}

/// A section of an INI file.
struct Profile {
    file: PathBuf,
    name: String,
    lines: Vec<String>,
}

impl Profile {
    fn read(file: PathBuf, name: &str) -> Result<Self, String> {
        let text =
            std::fs::read_to_string(&file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        let title = |line: &str| Some(line.strip_prefix('[')?.strip_suffix(']')?.trim().to_owned());
        let mut lines = text.lines().map(str::trim).skip_while(|line| title(line).as_deref() != Some(name));
        lines.next().ok_or_else(|| format!("{} has no profile {name:?}", file.display()))?;
        let lines = lines.take_while(|line| title(line).is_none()).map(str::to_owned).collect();
        Ok(Self { file, name: name.to_owned(), lines })
    }

    fn value(&self, key: &str) -> Result<String, String> {
        let pairs = self.lines.iter().filter_map(|line| line.split_once(['=', ':']));
        let mut values = pairs.map(|(name, value)| (name.trim(), value.trim())).filter(|(name, _)| *name == key);
        let value = values.next().map(|(_, value)| value.to_owned()).filter(|value| !value.is_empty());
        value.ok_or_else(|| format!("the profile {:?} of {} has no {key}", self.name, self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const FILE: &str = "; made by a tool\n[DEFAULT]\nhost = https://one.example.com\ntoken = t1\n\n[ team ]\nhost=two.example.com\n\
                        # token = old\ntoken=t2=\n[empty]\nhost: https://three.example.com\n";

    fn found(uri: &str, variables: &[(&str, &str)]) -> Result<(String, String), String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".databrickscfg"), FILE).unwrap();
        let home = ("HOME".to_owned(), folder.path().display().to_string());
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: Environment = variables.chain([home]).collect();
        let found = access(uri, &environment).unwrap().map_err(|error| error.to_string())?;
        Ok((found.host, found.token.expose_secret().to_owned()))
    }

    #[test]
    fn given_variables_and_profiles_then_variables_win_and_a_profile_brings_the_rest() {
        let (host, token) = (("DATABRICKS_HOST", "https://zero.example.com"), ("DATABRICKS_TOKEN", "t0"));
        for (uri, variables, expected) in [
            ("databricks", &[host, token][..], ("https://zero.example.com", "t0")),
            ("databricks", &[], ("https://one.example.com", "t1")),
            ("databricks://team", &[], ("https://two.example.com", "t2=")),
            ("databricks://team/", &[token], ("https://two.example.com", "t0")),
            ("databricks://empty", &[token], ("https://three.example.com", "t0")),
            ("databricks://team", &[host, token], ("https://zero.example.com", "t0")),
            ("databricks", &[("DATABRICKS_CONFIG_PROFILE", "team")], ("https://two.example.com", "t2=")),
        ] {
            let found = found(uri, variables).unwrap();
            assert_eq!((found.0.as_str(), found.1.as_str()), expected, "{uri} {variables:?}");
        }
    }

    #[test]
    fn given_a_workspace_that_is_not_known_then_the_error_names_what_is_missing_and_no_secret() {
        for (uri, variables, part) in [
            ("databricks", &[("DATABRICKS_HOST", "https://zero.example.com")][..], "DATABRICKS_TOKEN is not"),
            ("databricks", &[("DATABRICKS_TOKEN", "s3cret")], "DATABRICKS_HOST is not"),
            ("databricks://empty", &[], "has no token"),
            ("databricks://nobody", &[("DATABRICKS_TOKEN", "s3cret")], "has no profile \"nobody\""),
            ("databricks", &[("DATABRICKS_CONFIG_FILE", "/nowhere")], "/nowhere cannot be read"),
            ("databricks://scope:prefix", &[], "secret scope"),
        ] {
            let said = found(uri, variables).expect_err(uri);
            assert!(said.contains(part) && said.contains("hint:") && !said.contains("s3cret"), "{uri}: {said}");
        }
    }

    #[test]
    fn given_another_uri_then_it_is_not_one_of_databricks() {
        let nothing = Environment::from_iter([]);
        for uri in ["http://127.0.0.1:5000", "databricks-uc", "databricksy", "file:///databricks"] {
            assert!(access(uri, &nothing).is_none(), "{uri}");
        }
    }
}
