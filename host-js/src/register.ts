/** Types of `openinference-mlflow/register`, which exports nothing. */

export {};
