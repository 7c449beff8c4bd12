/** Marks the processors of this package, whichever copy of it made them. */
export const OURS: unique symbol = Symbol.for("openinference-mlflow.processor") as typeof OURS;
