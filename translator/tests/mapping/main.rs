//! What a span says and what MLflow is told: rules one by one, every fixture in pictures, and properties of any input.

#[cfg(test)]
mod pictures;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod repairs;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod spans;
#[cfg(test)]
mod trace_json;
