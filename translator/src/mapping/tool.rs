//! What a tool was given, where its span carries no value: `tool.parameters`.

use super::facts::Facts;
use super::gains::Gains;
use super::io;
use crate::mlflow::keys::SPAN_INPUTS;
use crate::openinference::{Family, Key};

/// Adds a tool's inputs.
pub(super) fn add<'s, 'a>(facts: &Facts<'s, 'a>, gains: &mut Gains<'_, 's, 'a>) {
    if facts.families().contains(Family::Tool)
        && facts.get(Key::InputValue).and_then(io::mapped).is_none()
        && let Some(parameters) = facts.get(Key::ToolParameters).and_then(io::mapped)
    {
        gains.add(SPAN_INPUTS, parameters);
    }
}
