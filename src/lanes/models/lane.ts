import type { MergedConfig } from '../../config/types.ts';
import type { Consumer } from '../../core/consumer.ts';
import type { Explanation, Problem } from '../../core/contracts/resource.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Exchange, Mount } from '../../http/mount.ts';
import type { BoundPolicy } from '../../pipeline/chain.ts';
import { DOORS } from './calls/door.ts';
import type { ModelsBuildHost, ModelsHost } from './host.ts';
import { buildModels, type ModelsGeneration } from './routes/build.ts';
import { explainModel } from './routes/choose.ts';
import { sendFailure } from './doors/deliver.ts';
import { endpoints, type EnterGeneration } from './doors/endpoint.ts';
import { listModels, type ListedModel } from './doors/model-list.ts';

/** Most often the client's base URL has too much of a path, or too little. */
const NOTHING_HERE = `There is nothing at this address. Models answer at ${DOORS.map(({ path }) => path).join(', ')} and /v1/models.`;

/** One target in `GET /admin/v1/status`. */
export interface TargetStatus {
  readonly route: string;
  readonly provider: string;
  readonly type: string;
  /** Absent: the caller's name passes. */
  readonly model?: string;
}

/** The models lane: builds its part of each generation, answers under `/v1`, and tells the admin API what it serves. */
export class ModelsLane {
  readonly mounts: readonly Mount[];
  readonly #host: ModelsHost;
  #current: ModelsGeneration | undefined;

  constructor(host: ModelsHost, enter: EnterGeneration) {
    this.#host = host;
    this.mounts = endpoints(enter, host);
  }

  build(merged: MergedConfig, lent: ModelsBuildHost, shared: readonly BoundPolicy[]): Promise<ModelsGeneration> {
    return buildModels(merged, this.#host, lent, shared, this.#current);
  }

  /** Called right after the swap. */
  adopt(generation: ModelsGeneration): void {
    this.#current = generation;
  }

  problems(generation: ModelsGeneration): readonly Problem[] {
    return generation.problems;
  }

  targets(): readonly TargetStatus[] {
    return this.#generation.routes.map(({ name, account, model }) => ({
      route: name,
      provider: account.name,
      type: account.type,
      ...(model === undefined ? {} : { model }),
    }));
  }

  /** What a consumer may call, as `GET /v1/models` lists it. */
  models(consumer: Consumer): Promise<readonly ListedModel[]> {
    return listModels(this.#generation, consumer, this.#host);
  }

  explain(model: string, consumer: Consumer): Explanation {
    return explainModel(this.#generation, model, consumer);
  }

  /** Writes an error of the edge in the words of the lane's callers; false for a path of others. */
  writeError({ req, res, id, path }: Exchange, error: GatewayError): boolean {
    if (!path.startsWith('/v1/')) return false;
    const told = error.code === 'not_found' ? new GatewayError('not_found', NOTHING_HERE) : error;
    const isAnthropic = path.startsWith('/v1/messages') || req.headers['anthropic-version'] !== undefined;
    sendFailure(res, id, isAnthropic ? 'anthropic' : 'openai', told, this.#host.redact);
    return true;
  }

  get #generation(): ModelsGeneration {
    if (this.#current === undefined) throw new GatewayError('unavailable');
    return this.#current;
  }
}
