/**
 * Of the first payloads of the instrumentors, those that MLflow's own translation draws as well as the bridge does.
 *
 * The others, posted raw, must fail the very comparison that their bridged copies pass: so no comparison is empty.
 */
export const DRAWN_BY_MLFLOW_ALONE = ["py_litellm_conversation.pb"];
