/**
 * Spans, counted since the process began. At any moment
 * `received = delivered + dropped + filtered + quarantined + pending`.
 */
export interface DeliveryStats {
  /** Handed over by providers. Spans that were not sampled are not counted. */
  received: number;
  /** Acknowledged by MLflow. */
  delivered: number;
  /** Lost, for a reason that was printed. */
  dropped: number;
  /** Left out by `filter` or `openInferenceOnly`, or sent by MLflow's own SDK. */
  filtered: number;
  /** Refused by MLflow, each for a reason that was printed. */
  quarantined: number;
  /** Held now. */
  pending: number;
}

/** All counters at zero. */
export const NO_SPANS: Readonly<DeliveryStats> = {
  received: 0,
  delivered: 0,
  dropped: 0,
  filtered: 0,
  quarantined: 0,
  pending: 0,
};

/** Adds counters up. */
export function sum(all: readonly DeliveryStats[]): DeliveryStats {
  const total = { ...NO_SPANS };
  for (const stats of all) {
    for (const key of Object.keys(total) as (keyof DeliveryStats)[]) total[key] += stats[key];
  }
  return total;
}
