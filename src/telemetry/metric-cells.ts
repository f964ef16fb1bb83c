type Labels = Readonly<Record<string, string>>;
interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

/** A metric as a registry of prom-client reads it. */
export interface ReadableMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'histogram' | 'gauge';
  readonly aggregator: 'sum';
  get(): Promise<{ readonly name: string; readonly help: string; readonly type: string; readonly values: readonly Sample[] }>;
}

/** One sum, to add to directly: a counter of prom-client finds its sum by hashing the labels each time. */
export interface Sum {
  value: number;
}

export class Sums implements ReadableMetric {
  readonly name: string;
  readonly help: string;
  readonly type = 'counter';
  readonly aggregator = 'sum';
  readonly #sums: (Sum & { readonly labels: Labels })[] = [];

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  /** A new sum; whoever makes it keeps it, and makes one for each set of labels. */
  make(labels: Labels = {}): Sum {
    const sum = { labels, value: 0 };
    this.#sums.push(sum);
    return sum;
  }

  async get(): ReturnType<ReadableMetric['get']> {
    const { name, help, type } = this;
    return { name, help, type, values: this.#sums };
  }
}

/** How values of one set of labels spread over the buckets. */
export class Spread {
  readonly labels: Labels;
  /** By bucket, the last for what is above all bounds. */
  readonly counts: number[];
  sum = 0;
  readonly #bounds: readonly number[];

  constructor(labels: Labels, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  add(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > this.#bounds[at]!) at += 1;
    this.counts[at]! += 1;
    this.sum += value;
  }
}

export class Spreads implements ReadableMetric {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #bounds: readonly number[];
  readonly #spreads: Spread[] = [];

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
  }

  /** As for sums. */
  make(labels: Labels): Spread {
    const spread = new Spread(labels, this.#bounds);
    this.#spreads.push(spread);
    return spread;
  }

  async get(): ReturnType<ReadableMetric['get']> {
    const { name, help, type } = this;
    return { name, help, type, values: this.#spreads.flatMap((spread) => this.#samples(spread)) };
  }

  #samples({ labels, counts, sum }: Spread): Sample[] {
    let total = 0;
    const buckets = counts.map((count, at): Sample => {
      total += count;
      return { metricName: `${this.name}_bucket`, labels: { ...labels, le: this.#bounds[at] ?? '+Inf' }, value: total };
    });
    return [...buckets, { metricName: `${this.name}_sum`, labels, value: sum }, { metricName: `${this.name}_count`, labels, value: total }];
  }
}

/** What is read when somebody asks, and not counted. */
export class Readings implements ReadableMetric {
  readonly name: string;
  readonly help: string;
  readonly type = 'gauge';
  readonly aggregator = 'sum';
  readonly #read: () => readonly Sample[];

  constructor(name: string, help: string, read: () => readonly Sample[]) {
    this.name = name;
    this.help = help;
    this.#read = read;
  }

  async get(): ReturnType<ReadableMetric['get']> {
    const { name, help, type } = this;
    return { name, help, type, values: [...this.#read()] };
  }
}
