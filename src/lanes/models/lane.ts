import type { MergedConfig } from '../../config/types.ts';
import type { Consumer } from '../../core/consumer.ts';
import type { Explanation, Problem } from '../../core/contracts/resource.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Exchange, Mount } from '../../http/mount.ts';
import type { BoundPolicy } from '../../pipeline/chain.ts';
import { conditionContext } from '../../pipeline/condition-context.ts';
import { DOORS } from './calls/door.ts';
import { apiOf, endpoints, type EnterGeneration } from './doors/endpoint.ts';
import { sendFailure } from './doors/deliver.ts';
import { listModels, type ListedModel } from './doors/model-list.ts';
import { ownEmbeddings, type OwnEmbeddings } from './doors/own-embeddings.ts';
import type { ModelsBuildHost, ModelsHost } from './host.ts';
import { ROOT_API } from './routes/api.ts';
import { buildModels, type ModelsGeneration } from './routes/build.ts';
import { explainModel, targetState, type ExplainedQuestion } from './routes/explain-model.ts';
import { gaugeKeys, startHealthChecks } from './routes/health-checks.ts';

/** Most often the client's base URL has too much of a path, or too little. */
const NOTHING_HERE = `There is nothing at this address. Models answer at ${DOORS.map(({ path }) => path).join(', ')} and /v1/models.`;

/** One target in `GET /admin/v1/status`. */
export interface TargetStatus {
  readonly route: string;
  readonly provider: string;
  readonly type: string;
  /** Absent: the caller's name passes. */
  readonly model?: string;
  /** Present for those that are asked when no target can answer: which of them it is, from 1 on. */
  readonly fallback?: number;
}

/** A call that nobody makes. Without `request`, rules that ask about it are told and not decided. */
export interface ModelQuestion {
  readonly model: string;
  readonly consumer: Consumer;
  /** `v1` when absent. */
  readonly api?: string;
  readonly request?: { readonly headers: Readonly<Record<string, string>>; readonly text: string };
}

/** The models lane: builds its part of each generation, answers under `/v1`, and tells the admin API what it serves. */
export class ModelsLane {
  readonly mounts: readonly Mount[];
  readonly #host: ModelsHost;
  readonly #enter: EnterGeneration;
  #current: ModelsGeneration | undefined;
  #stopChecks: () => void = () => undefined;

  constructor(host: ModelsHost, enter: EnterGeneration) {
    this.#host = host;
    this.#enter = enter;
    this.mounts = endpoints(enter, host);
  }

  build(merged: MergedConfig, lent: ModelsBuildHost, shared: readonly BoundPolicy[]): Promise<ModelsGeneration> {
    return buildModels(merged, this.#host, lent, shared, this.#current);
  }

  /** Called right after the swap. */
  adopt(generation: ModelsGeneration): void {
    if (this.#current?.intents !== generation.intents) this.#current?.intents?.end();
    this.#current = generation;
    generation.intents?.begin();
    this.#stopChecks();
    this.#stopChecks = startHealthChecks(generation, this.#host);
  }

  /** Of all targets that are called now. */
  gaugeKeys(): Iterable<string> {
    return gaugeKeys(this.#generation);
  }

  close(): void {
    this.#stopChecks();
    this.#current?.intents?.end();
  }

  problems(generation: ModelsGeneration): readonly Problem[] {
    return generation.problems;
  }

  /** With health, breaker, latency and error rate of each. */
  targets(): readonly TargetStatus[] {
    const now = Date.now();
    return [...this.#generation.apis.values()].flatMap(({ routes }) =>
      routes.flatMap(({ name, plan }) =>
        plan.pools.flatMap(({ choices }, rank) =>
          choices.map((choice) => ({
            route: name,
            provider: choice.accounts.name,
            type: choice.accounts.type,
            ...(choice.model === undefined ? {} : { model: choice.model }),
            ...(rank === 0 ? {} : { fallback: rank }),
            ...targetState(choice, now),
          })),
        ),
      ),
    );
  }

  /** What a consumer may call, as `GET /v1/models` lists it. */
  models(consumer: Consumer): Promise<readonly ListedModel[]> {
    return listModels(apiOf(this.#generation, undefined, consumer), consumer, this.#host);
  }

  /** Embeds texts for the hub itself by the model's name at `/v1`, as its consumer `hub:embedding`. */
  embed(model: string, texts: readonly string[], signal?: AbortSignal): Promise<OwnEmbeddings> {
    return ownEmbeddings(model, texts, this.#enter, this.#host, signal);
  }

  /** Throws GatewayError `not_found` for an API that is none. */
  explain(question: ModelQuestion): Promise<Explanation> {
    const { api = ROOT_API, ...rest } = question;
    const found = this.#generation.apis.get(api);
    if (found === undefined) throw new GatewayError('not_found', `There is no API "${api}".`);
    return explainModel(this.#generation, found, routeQuestion(rest));
  }

  /** Writes an error of the edge in the words of the lane's callers; false for a path of others. */
  writeError({ req, res, id, path }: Exchange, error: GatewayError): boolean {
    const [, own] = /^(?:\/apis\/[^/]+)?(\/v1\/.*)/.exec(path) ?? [];
    if (own === undefined) return false;
    const told = error.code === 'not_found' ? new GatewayError('not_found', NOTHING_HERE) : error;
    const isAnthropic = own.startsWith('/v1/messages') || req.headers['anthropic-version'] !== undefined;
    sendFailure(res, id, isAnthropic ? 'anthropic' : 'openai', told, this.#host.redact);
    return true;
  }

  get #generation(): ModelsGeneration {
    if (this.#current === undefined) throw new GatewayError('unavailable');
    return this.#current;
  }
}

function routeQuestion({ model, consumer, request }: Omit<ModelQuestion, 'api'>): ExplainedQuestion {
  if (request === undefined) return { model, consumer };
  const { headers, text } = request;
  const asked = { lane: 'models', operation: 'chat', route: '', consumer, model, startedAt: Date.now() } as const;
  const context = () =>
    conditionContext({ ...asked, request: { headers, ip: '', size: Buffer.byteLength(text) }, segments: () => [{ text }] });
  return { model, consumer, headers, text, context };
}
