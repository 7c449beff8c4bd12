/** Spans, counted since the process began. */
export interface DeliveryStats {
  /** Handed over by providers. */
  received: number;
  /** Acknowledged by MLflow. */
  delivered: number;
  /** Lost, for a reason that was printed. */
  dropped: number;
  /** Refused by MLflow, each for a reason that was printed. */
  setAside: number;
  /** Held now. */
  pending: number;
}

export const NO_SPANS: Readonly<DeliveryStats> = { received: 0, delivered: 0, dropped: 0, setAside: 0, pending: 0 };

export function sum(all: readonly DeliveryStats[]): DeliveryStats {
  const total = { ...NO_SPANS };
  for (const stats of all) {
    for (const key of Object.keys(total) as (keyof DeliveryStats)[]) total[key] += stats[key];
  }
  return total;
}
