//! Where a trace goes: workspace, experiment and run.
//!
//! The first source that names an experiment wins: the payload's context, the settings, the resource attribute
//! `openinference.project.name`, experiment 0. A trace keeps the destination of its first delivery, because MLflow keeps a
//! trace in its first experiment.

use crate::contract::Context;
use crate::settings::{DestinationKind, Settings};

/// An experiment by id or by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Experiment {
    /// A number, as text.
    Id(String),
    /// Created when missing.
    Name(String),
}

/// Where a trace goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TraceDestination {
    /// The MLflow workspace, where the server has them.
    pub workspace: Option<String>,
    /// The experiment.
    pub experiment: Experiment,
    /// The run that the trace is linked to.
    pub run_id: Option<String>,
}

/// The destination that a payload's context asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestedDestination {
    workspace: Option<String>,
    experiment: Option<Experiment>,
    run_id: Option<String>,
}

impl RequestedDestination {
    /// Reads the context; empty texts count as absent.
    pub fn new(context: &Context) -> Self {
        let present = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        Self {
            workspace: present(&context.workspace),
            experiment: experiment(present(&context.experiment_id), present(&context.experiment_name)),
            run_id: present(&context.run_id),
        }
    }

    /// A request for the experiment with this name, if any.
    pub fn experiment_name(name: Option<String>) -> Self {
        Self { experiment: name.map(Experiment::Name), ..Self::default() }
    }

    /// Fills the unset fields from another request.
    pub fn or(&mut self, other: &Self) {
        self.workspace = self.workspace.take().or_else(|| other.workspace.clone());
        self.experiment = self.experiment.take().or_else(|| other.experiment.clone());
        self.run_id = self.run_id.take().or_else(|| other.run_id.clone());
    }

    /// The destination, with unset fields from the settings, then from the project name.
    pub fn resolve(&self, settings: &Settings, project: Option<&str>) -> TraceDestination {
        let configured = || experiment(settings.experiment_id.clone(), settings.experiment_name.clone());
        let project = || project.map(|name| Experiment::Name(name.to_owned()));
        let default = || match settings.destination {
            // What Unity Catalog takes names no experiment.
            DestinationKind::Server | DestinationKind::UnityCatalog => Experiment::Id("0".to_owned()),
            #[cfg(feature = "json")]
            // MLflow's own name of experiment 0, so that the folder can be replayed.
            DestinationKind::Local => Experiment::Name("Default".to_owned()),
        };
        TraceDestination {
            workspace: self.workspace.clone().or_else(|| settings.workspace.clone()),
            experiment: self.experiment.clone().or_else(configured).or_else(project).unwrap_or_else(default),
            run_id: self.run_id.clone().or_else(|| settings.run_id.clone()),
        }
    }
}

fn experiment(id: Option<String>, name: Option<String>) -> Option<Experiment> {
    id.map(Experiment::Id).or(name.map(Experiment::Name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(id: &str, name: &str) -> Context {
        Context { experiment_id: Some(id.into()), experiment_name: Some(name.into()), ..Context::default() }
    }

    #[test]
    fn the_context_wins_over_the_settings_and_those_over_the_project() {
        let named = Settings { experiment_name: Some("configured".into()), ..Settings::default() };
        let experiment = |requested: &Context, settings: &Settings| {
            RequestedDestination::new(requested).resolve(settings, Some("project")).experiment
        };
        assert_eq!(experiment(&context("7", "asked"), &named), Experiment::Id("7".into()));
        assert_eq!(experiment(&context("", "asked"), &named), Experiment::Name("asked".into()));
        assert_eq!(experiment(&Context::default(), &named), Experiment::Name("configured".into()));
        assert_eq!(experiment(&Context::default(), &Settings::default()), Experiment::Name("project".into()));
    }

    #[test]
    fn without_any_name_it_is_experiment_zero_and_never_an_empty_id() {
        let destination = RequestedDestination::new(&context("", " ")).resolve(&Settings::default(), None);
        assert_eq!(destination.experiment, Experiment::Id("0".into()));
    }
}
