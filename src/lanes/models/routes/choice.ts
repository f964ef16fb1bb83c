import type { Target } from '../../../core/call.ts';
import type { Choice, Plan } from '../../../pipeline/forward.ts';
import type { Ledger } from '../../../pipeline/live-call.ts';
import type { Gauge } from '../../../upstreams/health/gauge.ts';
import type { KeyRing } from '../../../upstreams/health/key-ring.ts';
import type { Accounts } from './account.ts';

const A_MILLION = { inputTokens: 1_000_000, outputTokens: 1_000_000 } as const;

/** A model of a provider, as routes choose among them. */
export class ModelChoice implements Choice {
  readonly accounts: Accounts;
  /** The provider's name of the model, when the route forces one. */
  readonly model: string | undefined;
  readonly weight: number;
  readonly target: Target;
  readonly gauge: Gauge;
  readonly keys: KeyRing;
  readonly #ledger: Ledger;
  #price: number | undefined;
  #isPriced = false;

  constructor(accounts: Accounts, model: string | undefined, weight: number, gauge: Gauge, ledger: Ledger) {
    this.accounts = accounts;
    this.model = model;
    this.weight = weight;
    this.gauge = gauge;
    this.keys = accounts.ring;
    this.#ledger = ledger;
    this.target = targetOf(accounts, model ?? '*');
  }

  /** Always what is known now. */
  get figures(): Gauge {
    return this.gauge;
  }

  /** Looked up once: a change of prices is another generation. */
  get price(): number | undefined {
    if (!this.#isPriced) {
      this.#isPriced = true;
      this.#price = this.#ledger.priced(A_MILLION, { target: this.target }).cost ?? undefined;
    }
    return this.#price;
  }

  /** What a call is recorded with: where the caller names the model, the target of each model is one of its own. */
  targetFor(asked: string): Target {
    return this.model === undefined ? targetOf(this.accounts, asked) : this.target;
  }
}

export type ModelPlan = Plan<ModelChoice>;

/** What is gauged together: a model that the configuration names, or all that callers name. */
export function gaugeKey(provider: string, model: string | undefined): string {
  return `models/${provider}/${model ?? '*'}`;
}

function targetOf({ name, type }: Accounts, model: string): Target {
  return { name: `${name}/${model}`, upstream: name, provider: type, model };
}
