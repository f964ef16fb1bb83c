import { Gauge, type GaugeStatus } from './gauge.ts';

/** The gauges of all targets, by a key that says what is gauged. Outlives generations, so that a reload forgets nothing. */
export class Gauges {
  readonly #gauges = new Map<string, Gauge>();

  /** The same key gives the same gauge. It is configured when a generation begins to serve: what is built may be refused. */
  for(key: string): Gauge {
    let gauge = this.#gauges.get(key);
    if (gauge === undefined) this.#gauges.set(key, (gauge = new Gauge()));
    return gauge;
  }

  /** Forgets all others: for the moment at which a generation takes over. Calls on their way keep theirs. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#gauges.keys()) if (!keys.has(key)) this.#gauges.delete(key);
  }

  /** In the order in which they were first asked for. */
  status(now: number): readonly (GaugeStatus & { readonly key: string })[] {
    return Array.from(this.#gauges, ([key, gauge]) => ({ key, ...gauge.status(now) }));
  }
}
