/** Types of `openinference-mlflow/register`: it exports nothing. */

export {};
