"""Options, environment and MLflow's own state, made into one set of settings."""
