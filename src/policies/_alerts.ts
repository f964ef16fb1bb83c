import { createHmac, randomUUID } from 'node:crypto';
import type { Host } from '../core/contracts/extension.ts';
import type { Meter } from '../core/contracts/state.ts';
import type { Cap } from './_caps.ts';
import type { Counter } from './_counters.ts';

/** Where alerts go: an address, or one with the secret that signs what is sent. */
export type WebhookOption = string | { readonly url: string; readonly secret?: string };

const ADDRESS = { pattern: '^https?://[^/]' };

export const WEBHOOK = {
  type: ['string', 'object'],
  ...ADDRESS,
  required: ['url'],
  additionalProperties: false,
  properties: {
    url: { type: 'string', ...ADDRESS },
    secret: { type: 'string', minLength: 1, secret: true, description: 'Signs each body: x-hubgate-signature has its HMAC-SHA256.' },
  },
  description: 'Is sent a POST with JSON when a budget is used to 50, 80 and 100 per cent.',
};

/** What is kept until it is delivered. `told` is the key under which the delivery is remembered. */
interface Alert {
  readonly told: string;
  readonly body: string;
  readonly at: number;
  readonly until: number;
}

interface Target {
  readonly url: string;
  readonly secret?: string;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 600_000;
const ANSWER_MS = 10_000;
/** How long an alert is tried, and a delivery remembered beyond its period: calls may end after it. */
const KEPT_MS = 7 * 86_400_000;

/**
 * Alerts on their way to one webhook, in order, each at least once: they are in the store before they are sent, and leave it when they are
 * delivered. One for all generations; the latest says where the webhook is.
 */
class AlertQueue {
  readonly #host: Host;
  readonly #key: string;
  /** Undefined until the store was read. */
  #stored: readonly Alert[] | undefined;
  #queue: Alert[] = [];
  #target: Target | undefined;
  #users = 0;
  #failures = 0;
  /** Set while the next try has its time. */
  #timer: NodeJS.Timeout | undefined;
  #working = false;

  constructor(host: Host, key: string) {
    this.#host = host;
    this.#key = key;
  }

  /** Sends on, what a former process has left included. */
  use(target: Target): void {
    this.#target = target;
    this.#users++;
    this.#failures = 0;
    this.#wake();
  }

  release(): void {
    this.#users--;
  }

  add(alert: Alert): void {
    if (this.#queue.some(({ told }) => told === alert.told)) return;
    this.#queue.push(alert);
    void this.#work();
  }

  #wake(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    void this.#work();
  }

  /** Stores what is new, and delivers what is stored unless that has to wait. What is added meanwhile is seen after each step. */
  async #work(): Promise<void> {
    if (this.#working || this.#users === 0) return;
    this.#working = true;
    try {
      await this.#load();
      for (;;) {
        while (!this.#isSaved()) await this.#save();
        const alert = this.#queue[0];
        if (alert === undefined || this.#timer !== undefined || this.#users === 0) break;
        if (!(await this.#deliver(alert))) continue;
        this.#queue.shift();
        this.#failures = 0;
      }
    } catch (error) {
      this.#retry(error);
    } finally {
      this.#working = false;
    }
  }

  async #load(): Promise<void> {
    if (this.#stored !== undefined) return;
    this.#stored = ((await this.#host.store.get(this.#key)) ?? []) as readonly Alert[];
    this.#queue = [...this.#stored, ...this.#queue];
  }

  #isSaved(): boolean {
    const stored = this.#stored ?? [];
    return this.#queue.length === stored.length && this.#queue.every((alert, index) => alert === stored[index]);
  }

  async #save(): Promise<void> {
    const queue = [...this.#queue];
    if (queue.length === 0) await this.#host.store.delete(this.#key);
    else await this.#host.store.set(this.#key, queue);
    this.#stored = queue;
  }

  /** False when it has to be tried again. Throws what the store throws. */
  async #deliver({ told, body, at, until }: Alert): Promise<boolean> {
    const { store, log, now } = this.#host;
    if ((await store.get(told)) !== undefined) return true;
    if (now() - at > KEPT_MS) {
      log.error({ tries: this.#failures }, 'the webhook of a budget was not reached for a week: an alert is given up');
      return true;
    }
    try {
      await this.#send(body);
    } catch (error) {
      this.#retry(error);
      return false;
    }
    await store.set(told, true, { ttlMs: Math.max(0, until - now()) + KEPT_MS });
    return true;
  }

  async #send(body: string): Promise<void> {
    const { url, secret } = this.#target!;
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (secret !== undefined) headers['x-hubgate-signature'] = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    const answer = await this.#host.fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`it answered with status ${answer.status}`);
  }

  #retry(error: unknown): void {
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** this.#failures++, LONGEST_WAIT_MS);
    // No address: those of webhooks may be secrets.
    const reason = error instanceof Error ? error.message : String(error);
    this.#host.log.warn({ reason, waiting: this.#queue.length, waitMs }, 'the webhook of a budget could not be told');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wake(), waitMs).unref();
  }
}

export interface Alerts {
  /** Begins to send, what is left from before included. */
  serve(): void;
  /** Looks at counters that may have grown; those that follow no other are passed over. */
  check(counters: readonly Counter[]): void;
  release(): Promise<void>;
}

export interface AlertOptions {
  readonly webhook: WebhookOption;
  /** Per cent. */
  readonly thresholds: readonly number[];
  readonly by: string | readonly string[] | undefined;
  readonly caps: readonly Cap[];
}

/** Tells a webhook when budgets are used to some part, each part once a period. */
export function createAlerts(host: Host, { webhook, thresholds, by, caps }: AlertOptions): Alerts {
  const parts = [...[by ?? []].flat().toSorted(), ...caps.map(({ unit, per }) => `${unit}.${per}`)];
  // The state is this place's own, the store is that of all places.
  const name = `alerts/${host.place}/${parts.join('+')}`;
  const queue = host.shared(name, () => new AlertQueue(host, name));
  const steps = [...new Set(thresholds)].toSorted((a, b) => a - b);
  /** How many steps of a counter this process has told. Each period has meters of its own. */
  const told = new WeakMap<Meter, number>();

  const look = (counter: Counter, value: number): void => {
    let next = told.get(counter.meter) ?? 0;
    if (next === steps.length || value * 100 < counter.cap.limit * steps[next]!) return;
    while (next < steps.length && value * 100 >= counter.cap.limit * steps[next]!) queue.add(alertOf(counter, steps[next++]!, value, host));
    told.set(counter.meter, next);
  };

  let serves = false;
  return {
    serve() {
      serves = true;
      queue.use(typeof webhook === 'string' ? { url: webhook } : webhook);
    },
    check(counters) {
      const following = counters.filter(({ follows, meter }) => follows && told.get(meter) !== steps.length);
      if (following.length === 0) return;
      const lookAll = (values: readonly number[]): void => following.forEach((counter, index) => look(counter, values[index] ?? 0));
      const values = host.state.read(following.map(({ meter }) => meter));
      if (values instanceof Promise) void values.then(lookAll);
      else lookAll(values);
    },
    async release() {
      if (serves) queue.release();
    },
  };
}

function alertOf({ cap, subject, meter, period }: Counter, threshold: number, value: number, { now, place }: Host): Alert {
  const { from, until } = period!;
  const at = now();
  const inUnit = (amount: number): number => (cap.unit === 'usd' ? amount / 1e9 : amount);
  const [used, limit] = cap.unit === 'usd' ? ['usedUsd', 'limitUsd'] : ['usedTokens', 'limitTokens'];
  const body = {
    type: 'budget',
    id: randomUUID(),
    threshold,
    budget: `${inUnit(cap.limit)} ${cap.unit} a ${cap.per}`,
    subject: subject.fields,
    place,
    [used!]: inUnit(value),
    [limit!]: inUnit(cap.limit),
    period: { from: new Date(from).toISOString(), until: new Date(until).toISOString() },
    at: new Date(at).toISOString(),
  };
  return { told: `told/${place}/${meter.key}/${threshold}`, body: JSON.stringify(body), at, until };
}
