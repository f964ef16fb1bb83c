import { createHash } from 'node:crypto';
import type { AgentRestConfig } from '../../../../config/types.ts';
import type { Call, Handled } from '../../../../core/call.ts';
import type { AgentLine, AgentSnapshot, AgentSource } from '../../../../core/contracts/agent-source.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { Redactor } from '../../../../core/redact.ts';
import type { JsonObject } from '../../../../core/json.ts';
import type { Logger } from '../../../../core/logger.ts';
import type { Cancellation } from '../../../../core/upstream.ts';
import type { UpstreamHttp } from '../../../../upstreams/http.ts';
import { agentError } from '../../wires/agent-errors.ts';
import type { AppAccess } from './answers/app-line.ts';
import { createMask } from '../a2a/mask.ts';
import { MessageDesk } from './message-desk.ts';
import { historyLength } from './message-values.ts';
import type { OperationCaller } from './operation-caller.ts';
import { restCard } from './rest-card.ts';
import { addressOf, operationSkills, templateSkills, type Skills } from './skills.ts';
import type { HubTask } from './tasks/hub-task.ts';
import type { HubTasks } from './tasks/hub-tasks.ts';
import { withPreset } from './template/presets.ts';
import { TemplateError } from './template/template.ts';

export interface RestSourceOptions extends Omit<AppAccess, 'origin'> {
  /** The name of the agent in the configuration; also of its only instance. */
  readonly name: string;
  readonly config: AgentRestConfig;
  readonly description?: string | undefined;
  /** What `probe` asks for with GET, below the address of the application; the address itself when absent. */
  readonly healthPath?: string | undefined;
  readonly http: Pick<UpstreamHttp, 'send' | 'open'>;
  /** Those of this agent; they outlive the source. */
  readonly tasks: HubTasks;
  /** For `rest.spec`: what the document became. */
  readonly operations?: OperationCaller | undefined;
  /** Masks known secrets. */
  redact(text: string): string;
  readonly log: Logger;
}

const PROBE_MS = 5_000;

/** An HTTP application as an agent. A configuration that cannot be used is a snapshot in the state `failed` that says why. */
export function createRestSource(options: RestSourceOptions): AgentSource {
  return new RestSource(options);
}

class RestSource implements AgentSource {
  readonly name: string;
  readonly upstream: string;
  readonly #options: RestSourceOptions;
  readonly #desk: MessageDesk;
  readonly #listeners = new Set<() => void>();
  readonly #stop: (() => void) | undefined;
  #serves = false;
  #mask: { readonly of: string; mask(text: string): string } | undefined;
  #snapshot!: AgentSnapshot;
  #skills: Skills | undefined;

  constructor(options: RestSourceOptions) {
    this.#options = options;
    this.name = options.name;
    this.#learn();
    this.upstream = options.operations?.upstream ?? this.#origin() ?? options.name;
    this.#desk = new MessageDesk({ ...options, origin: this.upstream, redact: (text) => this.#redact(text), skills: () => this.#skills });
    this.#stop = options.operations?.subscribe(() => {
      this.#learn();
      this.#takeUp();
      for (const listener of this.#listeners) listener();
    });
  }

  get snapshot(): AgentSnapshot {
    return this.#snapshot;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** There is nothing to fetch: the card follows from the configuration and the document. */
  async refresh(): Promise<void> {}

  /** From here on tasks are its own: one that was only checked, or refused, changes none of them. */
  serve(): void {
    this.#serves = true;
    this.#options.tasks.way = this.#desk;
    this.#takeUp();
  }

  async call(call: Call<'agents'>, line: AgentLine): Promise<Handled<'agents'>> {
    const { operation, params } = line;
    switch (operation) {
      case 'message/send':
      case 'message/stream':
        return this.#desk.take(call, line);
      case 'tasks/get': {
        const task = await this.#task(call, params);
        return reply(task.snapshot(historyLength(params)));
      }
      case 'tasks/cancel': {
        const task = await this.#task(call, params);
        this.#options.tasks.cancel(task);
        await this.#options.tasks.saved(task);
        return reply(task.snapshot());
      }
      case 'tasks/resubscribe': {
        const task = await this.#task(call, params);
        if (task.hasEnded)
          throw agentError('UnsupportedOperation', `The task has ended (${task.state}): there is nothing to subscribe to. Get it instead.`);
        return { stream: task.events(call.signal) };
      }
      // Whom to tell the hub knows: it tells of these tasks itself.
      case 'tasks/pushNotificationConfig/set':
        return reply(params);
      case 'tasks/pushNotificationConfig/delete':
        return reply({});
      case 'agent/card':
        if (this.#snapshot.card === undefined) throw new GatewayError('unavailable');
        return reply(this.#snapshot.card);
      default:
        throw agentError('UnsupportedOperation');
    }
  }

  async probe(signal: Cancellation): Promise<void> {
    const { http, config, healthPath = '', trust, operations } = this.#options;
    if (operations !== undefined) {
      if (operations.skills.length === 0) throw new GatewayError('unavailable', operations.error);
      return;
    }
    const { origin, path } = addressOf(config, trust);
    const asked = `${path}${healthPath}` || '/';
    const { status } = await http.send({ method: 'GET', origin, path: asked, headers: {}, trust, timeoutMs: PROBE_MS }, { signal });
    if (status >= 500) throw new GatewayError('upstream_failed', `The application answered a check with status ${status}.`);
  }

  /** Tasks go on: they are no business of one generation. With the last configuration of the agent its credentials are not used any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop?.();
    const { tasks } = this.#options;
    if (tasks.way === this.#desk) tasks.way = undefined;
  }

  /** What was at work when the hub stopped goes on as soon as somebody knows how. */
  #takeUp(): void {
    if (this.#serves && this.#skills !== undefined) void this.#options.tasks.restore((task) => this.#desk.resume(task));
  }

  #task(call: Call<'agents'>, { id }: JsonObject): Promise<HubTask> {
    return this.#options.tasks.find(typeof id === 'string' ? id : (call.input.task ?? ''), call.consumer.name);
  }

  #origin(): string | undefined {
    try {
      return addressOf(this.#options.config, this.#options.trust).origin;
    } catch {
      return undefined;
    }
  }

  /** A document may say another address than the last one did. */
  #redact(text: string): string {
    const { config, operations } = this.#options;
    const addresses = [withPreset(config).url ?? [], operations?.addresses ?? []].flat();
    const of = addresses.join(' ');
    if (this.#mask?.of !== of) this.#mask = { of, mask: maskOf(addresses, this.#options) };
    return this.#mask.mask(text);
  }

  #learn(): void {
    const { name, config, description, operations, trust } = this.#options;
    try {
      if (config.url !== undefined) addressOf(config, trust);
      if (config.spec !== undefined && operations === undefined) throw new TemplateError('rest.spec: the document could not be read.');
      if (operations !== undefined && operations.skills.length === 0)
        throw new TemplateError(operations.error ?? 'rest.spec: the document has no operation that can be called.');
      this.#skills = operations === undefined ? templateSkills(this.#options) : operationSkills(operations);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      const version = versionOf(error.message);
      this.#snapshot = { version, state: 'failed', error: error.message, card: this.#snapshot?.card, signature: 'unsigned' };
      return;
    }
    const facts = { name, description, config, version: operations?.version, skills: this.#skills.onCard };
    const card = restCard(facts);
    const stale = operations?.error === undefined ? {} : { error: operations.error };
    this.#snapshot = { version: versionOf(card, stale), state: 'ready', ...stale, card, signature: 'unsigned' };
  }
}

/** The id of the application may stand in the configuration as it is, and is no less a secret to callers. */
function maskOf(addresses: readonly string[], { config, redact }: RestSourceOptions): (text: string) => string {
  const own = new Redactor();
  if (config.app !== undefined) own.add(config.app.reveal());
  const mask = createMask(addresses, (text) => own.redact(redact(text)));
  return (text) => mask.text(text) ?? 'The application behind this agent said something that is not for callers.';
}

function reply(result: JsonObject): Handled<'agents'> {
  return { reply: { result } };
}

function versionOf(...values: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(values)).digest('base64url');
}
