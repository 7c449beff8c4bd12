//! Costs, in US dollars.
//!
//! Only what the producer knows: without a cost MLflow works one out from its own price list. What is less than 0 is no cost; some
//! send -1 for a model that they have no price of.

use super::attribute_builder::AttributeBuilder;
use super::span_view::SpanView;
use crate::mlflow::keys::LLM_COST;
use crate::openinference::Key;

/// Adds the cost of inputs, of outputs, and the total, all three: MLflow's UI shows none unless it has all.
pub(super) fn add<'s, 'a>(view: &SpanView<'s, 'a>, added: &mut AttributeBuilder<'_, 's, 'a>) {
    if !added.lacks(LLM_COST) {
        return;
    }
    let cost = |key| view.number(key).filter(|cost| *cost >= 0.0);
    let [input, output, total] = [Key::CostPrompt, Key::CostCompletion, Key::CostTotal].map(cost);
    if let Some((input, output, total)) = complete(input, output, total) {
        added.add_text(
            LLM_COST,
            format!("{{\"input_cost\": {input:?}, \"output_cost\": {output:?}, \"total_cost\": {total:?}}}"),
        );
    }
}

/// A missing cost follows from the other two; of what one alone does not say, nothing was paid.
fn complete(input: Option<f64>, output: Option<f64>, total: Option<f64>) -> Option<(f64, f64, f64)> {
    let rest = |total: f64, part: f64| (total - part).max(0.0);
    let costs = match (input, output, total) {
        (Some(input), Some(output), total) => (input, output, total.unwrap_or(input + output)),
        (Some(input), None, Some(total)) => (input, rest(total, input), total),
        (None, Some(output), Some(total)) => (rest(total, output), output, total),
        (Some(input), None, None) => (input, 0.0, input),
        (None, Some(output), None) => (0.0, output, output),
        (None, None, Some(total)) => (0.0, 0.0, total),
        (None, None, None) => return None,
    };
    // The sum of two finite numbers need not be finite.
    costs.2.is_finite().then_some(costs)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mapping::test_support::added_value;

    #[test]
    fn a_missing_cost_follows_from_the_other_two() {
        assert_eq!(complete(Some(1.0), Some(2.0), None), Some((1.0, 2.0, 3.0)));
        assert_eq!(complete(Some(1.0), None, Some(3.0)), Some((1.0, 2.0, 3.0)));
        assert_eq!(complete(None, Some(2.0), Some(3.0)), Some((1.0, 2.0, 3.0)));
        assert_eq!(complete(Some(4.0), None, Some(3.0)), Some((4.0, 0.0, 3.0)));
    }

    #[test]
    fn the_producers_costs_are_kept_even_when_they_do_not_add_up() {
        assert_eq!(complete(Some(1.0), Some(2.0), Some(9.0)), Some((1.0, 2.0, 9.0)));
    }

    #[test]
    fn one_cost_alone_still_gives_all_three() {
        assert_eq!(complete(None, None, Some(3.0)), Some((0.0, 0.0, 3.0)));
        assert_eq!(complete(Some(3.0), None, None), Some((3.0, 0.0, 3.0)));
        assert_eq!(complete(None, Some(3.0), None), Some((0.0, 3.0, 3.0)));
    }

    #[test]
    fn what_is_less_than_nothing_is_no_cost() {
        let costs = |costs: [f64; 3]| {
            let keys = ["llm.cost.prompt", "llm.cost.completion", "llm.cost.total"];
            let sent: Vec<_> = keys.into_iter().zip(costs).map(|(key, cost)| (key, json!(cost))).collect();
            added_value("LLM", &sent, LLM_COST)
        };
        assert_eq!(costs([-1.0, -1.0, -1.0]), json!(null));
        assert_eq!(costs([-1.0, -0.5, 2.0]), json!({"input_cost": 0.0, "output_cost": 0.0, "total_cost": 2.0}));
        assert_eq!(costs([1.0, 2.0, -3.0]), json!({"input_cost": 1.0, "output_cost": 2.0, "total_cost": 3.0}));
    }

    #[test]
    fn no_cost_is_made_up() {
        assert_eq!(complete(None, None, None), None);
        assert_eq!(complete(Some(f64::MAX), Some(f64::MAX), None), None);
    }
}
