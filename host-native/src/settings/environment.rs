//! The environment as a layer of settings: the variables that `cli` declares, read through a function, so that a test
//! can bring its own. A variable that is set to nothing counts as not set.

use std::collections::HashMap;
use std::error::Error;

use clap::{Args, Command};

use super::SettingsError;

/// Where environment variables are read from.
#[derive(Debug, Clone)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// The environment of this process. Variables that are not UTF-8 are not ours and are left out.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The variable's value, if there is one that says something.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// The group of settings `T` with what the environment sets of it.
    pub(super) fn layer<T: Args>(&self) -> Result<T, SettingsError> {
        let command = T::augment_args(Command::new("environment").no_binary_name(true).disable_help_flag(true));
        let variables: Vec<_> = command
            .get_arguments()
            .filter_map(|arg| {
                let variable = arg.get_env()?.to_str()?;
                Some((variable.to_owned(), format!("--{}={}", arg.get_long()?, self.get(variable)?)))
            })
            .collect();
        let command = command.mut_args(|arg| arg.env(None::<&'static str>));
        for (variable, argument) in &variables {
            command.clone().try_get_matches_from([argument]).map_err(|error| SettingsError::Variable {
                variable: variable.clone(),
                reason: error.source().map_or_else(|| error.to_string(), ToString::to_string),
            })?;
        }
        let matches = command.try_get_matches_from(variables.iter().map(|(_, argument)| argument));
        matches.and_then(|matches| T::from_arg_matches(&matches)).map_err(|error| SettingsError::Variable {
            variable: "the environment".to_owned(),
            reason: error.to_string(),
        })
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}
