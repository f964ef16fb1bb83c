import type { MergedConfig } from '../../config/types.ts';
import type { AgentSource } from '../../core/contracts/agent-source.ts';
import type { Consumer } from '../../core/consumer.ts';
import type { Explanation, Problem } from '../../core/contracts/resource.ts';
import type { TaskRecord } from '../../core/contracts/store.ts';
import { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Exchange, Mount } from '../../http/mount.ts';
import type { BoundPolicy } from '../../pipeline/chain.ts';
import { SourceUses } from '../../pipeline/source-uses.ts';
import { watchTarget } from '../../upstreams/health/watch-target.ts';
import { isVisible } from './calls/admit.ts';
import { instanceOf } from './calls/plans.ts';
import { createCardSigner } from './cards/signing.ts';
import { explainAgent, type AgentQuestion } from './explain.ts';
import type { AgentsBuildHost, AgentsHost, OperationsOf } from './host.ts';
import { cardOf } from './registry/agent.ts';
import { buildAgents, gaugeKey, type AgentsGeneration } from './registry/build.ts';
import { agentStatus, type AgentStatus } from './registry/status.ts';
import { AgentSearch } from './search/agent-search.ts';
import type { FoundAgents } from './search/found-agents.ts';
import { endpoints } from './serve/endpoint.ts';
import type { EnterGeneration, Serving } from './calls/serving.ts';
import { createHubTasks, type HubTasks, type ToldTask } from './sources/rest/tasks/hub-tasks.ts';
import { readStoredTask } from './tasks/read-stored-task.ts';
import { PushRelay } from './tasks/push-relay.ts';
import { TaskBook } from './tasks/task-book.ts';
import { createAgentDoor } from './tools/agent-door.ts';
import { AgentToolSource } from './tools/agent-tools.ts';
import { agentErrorFrom } from './wires/agent-errors.ts';
import { wireOf } from './wires/wires.ts';
import { sendAnswer } from './serve/deliver.ts';

/** The agents lane: builds its part of each generation, answers under `/a2a`, and tells the admin API what it serves. */
export class AgentsLane {
  readonly mounts: readonly Mount[];
  readonly #host: AgentsHost;
  readonly #book: TaskBook;
  readonly #push: PushRelay;
  /** Tasks that the hub itself carries out, by agent. */
  readonly #hubTasks = new Map<string, HubTasks>();
  readonly #uses = new SourceUses();
  readonly #serving: Serving;
  readonly #enter: EnterGeneration;
  readonly #search: AgentSearch;
  readonly #listeners = new Set<() => void>();
  #current: AgentsGeneration | undefined;
  #stopWatching: () => void = () => undefined;

  constructor(host: AgentsHost, enter: EnterGeneration) {
    this.#host = host;
    const { http, log, ledger, tasks: store } = host;
    const redact = (text: string): string => host.redact(text);
    const now = Date.now;
    this.#book = new TaskBook({ store, log, now });
    this.#push = new PushRelay({
      store,
      book: this.#book,
      http,
      log,
      now,
      redact,
      base: () => host.base(),
      wireOf: (version) => wireOf(version, 'JSONRPC'),
      readTask: (record) => this.#readTask(record),
      mayHear: (agent, owner) => this.#mayHear(agent, owner),
    });
    const serving: Serving = {
      http,
      log,
      ledger,
      book: this.#book,
      push: this.#push,
      signer: createCardSigner(host.secretKey),
      streams: new Set(),
      redact,
      publicUrl: () => host.publicUrl(),
      isOpen: () => host.isOpen(),
    };
    this.#serving = serving;
    this.#enter = enter;
    this.#search = new AgentSearch(host);
    this.mounts = endpoints(enter, serving, this.#search);
  }

  async build(
    merged: MergedConfig,
    lent: AgentsBuildHost,
    shared: readonly BoundPolicy[],
    operations: OperationsOf,
  ): Promise<AgentsGeneration> {
    const { http, log, gauges, addSecret } = this.#host;
    const redact = (text: string): string => this.#host.redact(text);
    const host = { http, log, gauges, addSecret, redact, operations, hubTasks: (agent: string) => this.#tasksOf(agent) };
    const generation = await buildAgents(merged, host, lent, shared, this.#current);
    this.#uses.add(sourcesOf(generation));
    return generation;
  }

  /** Called right after the swap. */
  adopt(generation: AgentsGeneration): void {
    this.#current = generation;
    this.#stopWatching();
    const stops = [...generation.agents.values()].flatMap(({ instances, config }) =>
      instances.map(({ gauge, source }) => watchTarget([gauge], config, (signal) => source.probe(signal))),
    );
    const heard = [...generation.sources.values()].map(({ source }) => source.subscribe(() => this.#tell()));
    this.#stopWatching = () => {
      for (const stop of [...stops, ...heard]) stop();
    };
    for (const { source } of generation.sources.values()) {
      source.serve?.();
      if (source.snapshot.state === 'loading') void source.refresh();
    }
    this.#tell();
  }

  /** To be called when no call runs on a generation any more, or it never served: lets go of the sources that no other one has. */
  release(generation: AgentsGeneration): Promise<void> {
    return this.#uses.release(sourcesOf(generation), this.#host.log);
  }

  /** The agent of that name as a source of tools; it follows the configuration that serves. */
  tools(name: string): AgentToolSource {
    return new AgentToolSource(
      createAgentDoor({
        name,
        enter: this.#enter,
        serving: this.#serving,
        base: () => this.#host.base(),
        current: () => this.#current?.agents.get(name),
        subscribe: (listener) => {
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
      }),
    );
  }

  /** Is there an agent that the consumer may call? False before a generation serves. */
  mayCallAny(consumer: Consumer): boolean {
    return this.#current?.agents.values().some((agent) => isVisible(agent, consumer)) ?? false;
  }

  /** The best `top` of the agents that the consumer may call, by words and meaning over their cards as the consumer gets them. */
  async search(consumer: Consumer, query: string, top: number, signal?: AbortSignal): Promise<FoundAgents> {
    const { agents, leave } = this.#enter();
    try {
      return await this.#search.search(agents.agents, consumer, query, top, signal);
    } finally {
      leave();
    }
  }

  /** Of all instances that are called now. */
  gaugeKeys(): readonly string[] {
    return [...this.#generation.sources.keys()].map(gaugeKey);
  }

  status(): AgentStatus[] {
    return [...this.#generation.agents.values()].map((agent) => agentStatus(agent, Date.now()));
  }

  /** Everything wrong with a built generation that a person should see; errors among them refuse a change. What only a card can tell is in `status`. */
  problems({ agents, merged }: AgentsGeneration): Problem[] {
    return [...agents.values()].flatMap(({ name, origin, config, instances }) => {
      const error = config.rest === undefined || config.rest.spec !== undefined ? undefined : instances[0]?.source.snapshot.error;
      if (error === undefined) return [];
      const pointer = `/agents/${name}/rest`;
      const severity = origin === 'file' ? 'error' : 'warning';
      return [{ code: 'agent_failed', severity, message: error, pointer, ...(origin === 'file' ? merged.locate(pointer) : {}) }];
    });
  }

  /** What is wrong with one agent in the running generation. */
  entryProblems(name: string): readonly Problem[] {
    const agent = this.#generation.agents.get(name);
    return (agent?.instances ?? []).flatMap(({ source }) =>
      source.snapshot.error === undefined ? [] : [{ code: 'agent_failed', severity: 'error' as const, message: source.snapshot.error }],
    );
  }

  /** Fetches the cards of an agent again. Throws `not_found`. */
  async refresh(name: string): Promise<AgentStatus> {
    const agent = this.#generation.agents.get(name);
    if (agent === undefined) throw new GatewayError('not_found', `There is no agent "${name}".`);
    await Promise.all(agent.instances.map(({ source }) => source.refresh()));
    return agentStatus(agent, Date.now());
  }

  /** Throws GatewayError `not_found` for an agent that is none. */
  explain(question: AgentQuestion): Promise<Explanation> {
    return explainAgent(this.#generation, question);
  }

  /** Writes an error of the edge in the words of A2A, and of the binding that the path belongs to; false for a path of others. */
  writeError({ res, path }: Exchange, error: GatewayError): boolean {
    const [, below] = /^\/a2a\/[^/]+(\/.*)?$/.exec(path) ?? [];
    if (!path.startsWith('/a2a/') || path.includes('/.well-known/')) return false;
    const binding = below === undefined || below === '/' ? 'JSONRPC' : 'HTTP+JSON';
    sendAnswer({ res }, wireOf('1.0', binding).writeError(agentErrorFrom(error), null));
    return true;
  }

  /** Ends the open streams, which may have no end of their own. Their tasks go on. */
  endStreams(): void {
    for (const call of this.#serving.streams)
      call.abort(new GatewayError('unavailable', 'This hub stops. Subscribe to the task again shortly.'));
  }

  async close(): Promise<void> {
    this.#stopWatching();
    await Promise.all([...this.#hubTasks.values()].map((tasks) => tasks.close()));
    this.#push.close();
    await this.#book.close();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Of one agent, over all generations. */
  #tasksOf(agent: string): HubTasks {
    const known = this.#hubTasks.get(agent);
    if (known !== undefined) return known;
    const { tasks: store, log } = this.#host;
    const notify = ({ id, owner, pushToken }: ToldTask, event: JsonObject): Promise<void> =>
      this.#push.tell({ agent, owner, task: id }, event, pushToken);
    const made = createHubTasks({ agent, instance: agent, store, log, notify });
    this.#hubTasks.set(agent, made);
    return made;
  }

  /** Rights that are taken away end what was ordered under them. True while it is not known: before a generation serves, and before its card is there. */
  #mayHear(name: string, owner: string): boolean {
    if (this.#current === undefined) return true;
    const agent = this.#current.agents.get(name);
    const consumer = this.#host.consumer(owner);
    if (agent === undefined || consumer === undefined) return false;
    return cardOf(agent) === undefined || isVisible(agent, consumer);
  }

  async #readTask(record: TaskRecord): Promise<JsonObject | undefined> {
    const agent = this.#current?.agents.get(record.agent);
    const source = agent && instanceOf(agent, record.instance)?.source;
    return source === undefined ? undefined : await readStoredTask(source, record, this.#host);
  }

  get #generation(): AgentsGeneration {
    if (this.#current === undefined) throw new GatewayError('unavailable');
    return this.#current;
  }
}

function sourcesOf({ sources }: AgentsGeneration): AgentSource[] {
  return [...sources.values()].map(({ source }) => source);
}
