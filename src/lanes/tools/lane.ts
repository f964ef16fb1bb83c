import type { JsonObject } from '../../core/json.ts';
import type { MergedConfig } from '../../config/types.ts';
import type { Consumer } from '../../core/consumer.ts';
import type { Explanation, Problem, SourceStatus } from '../../core/contracts/resource.ts';
import type { ToolSource } from '../../core/contracts/tool-source.ts';
import { GatewayError } from '../../core/errors.ts';
import type { ToolDefinition } from '../../core/tools.ts';
import type { Mount } from '../../http/mount.ts';
import type { BoundPolicy } from '../../pipeline/chain.ts';
import { SourceUses } from '../../pipeline/source-uses.ts';
import type { Plan } from '../../pipeline/forward.ts';
import { buildTools, gaugeKey, type ToolsGeneration } from './build.ts';
import type { Door } from './doors/catalog.ts';
import { explainTool } from './explain.ts';
import type { AgentToolsOf, BuildHost, ToolsHost } from './host.ts';
import type { LeftOut } from './openapi/types.ts';
import { serviceReport, type ServiceReport } from './report.ts';
import { foundTools, type Searching } from './search/answer-search.ts';
import { ToolFinder } from './search/tool-finder.ts';
import { WarmUp } from './search/warm-up.ts';
import { KeptResults } from './results/kept-results.ts';
import { Announcements } from './serve/announcements.ts';
import { endpoint } from './serve/endpoint.ts';
import { Sessions } from './serve/session.ts';
import { ServiceSource } from './sources/service-source.ts';

export interface SearchOptions {
  /** That of the door when absent. */
  readonly top?: number | undefined;
  /** As `embedding.model` takes it; that of the door when absent. */
  readonly model?: string | undefined;
}

/** Pins the current generation for one call. */
export type EnterGeneration = () => { readonly tools: ToolsGeneration; leave(): void };

/** The tools lane: builds its part of each generation, answers on `/mcp`, and tells the admin API what it serves. */
export class ToolsLane {
  readonly mounts: readonly Mount[];
  readonly #host: ToolsHost;
  readonly #sessions: Sessions;
  readonly #announcements: Announcements;
  readonly #searching: Searching;
  readonly #warmUp: WarmUp;
  readonly #uses = new SourceUses();
  #current: ToolsGeneration | undefined;
  #unsubscribe: (() => void)[] = [];

  constructor(host: ToolsHost, enter: EnterGeneration) {
    this.#host = host;
    this.#sessions = new Sessions(host.seal, host.endedSessions);
    this.#announcements = new Announcements({ door: (name) => this.#current?.doors.get(name), consumer: (name) => host.consumer(name) });
    const { http, log, redact, ledger, agents } = host;
    this.#searching = { finder: new ToolFinder(host.semantics), agents };
    this.#warmUp = new WarmUp(this.#searching.finder, log);
    const serving = {
      http,
      log,
      redact,
      ledger,
      searching: this.#searching,
      results: new KeptResults(),
      sessions: this.#sessions,
      announcements: this.#announcements,
    };
    this.mounts = endpoint((name) => {
      const { tools, leave } = enter();
      return { door: tools.doors.get(name), leave };
    }, serving);
  }

  /** To be called once, before the first request. */
  load(): Promise<void> {
    return this.#sessions.load();
  }

  async build(merged: MergedConfig, lent: BuildHost, shared: readonly BoundPolicy[], fromAgent: AgentToolsOf): Promise<ToolsGeneration> {
    const generation = await buildTools({ merged, host: this.#host, lent, shared, fromAgent, before: this.#current });
    this.#uses.add(sourcesOf(generation));
    return generation;
  }

  /** Everything wrong with a built generation that a person should see; errors among them refuse a change. */
  problems(generation: ToolsGeneration): Problem[] {
    const doors = [...generation.doors.values()];
    const placed = doors
      .flatMap((door) => door.problems)
      .map((problem) => ({ ...problem, ...generation.merged.locate(problem.pointer ?? '') }));
    return [...placed, ...doors.flatMap(holdingPolicies)];
  }

  /** Called right after the swap: listens to the sources of the new generation and tells open streams what changed. */
  adopt(generation: ToolsGeneration): void {
    this.#current = generation;
    for (const { plan, breaker } of generation.entries.values())
      for (const { gauge } of plan.pools[0]!.choices) gauge.configure(breaker === undefined ? {} : { breaker });
    for (const stop of this.#unsubscribe) stop();
    this.#unsubscribe = [...generation.sources].map(([name, { source }]) =>
      source.subscribe((event) => {
        if (event.type === 'resource-updated') this.#announcements.resourceUpdated(event, name);
        else this.#sourceChanged(name);
      }),
    );
    // A document read between the look at the problems and this moment was announced to nobody.
    for (const door of generation.doors.values()) door.invalidate();
    this.#warmUp.follow([...generation.doors.values()]);
    this.#announcements.refresh();
  }

  /** To be called when no call runs on a generation any more, or it never served: lets go of the sources that no other one has. */
  release(generation: ToolsGeneration): Promise<void> {
    return this.#uses.release(sourcesOf(generation), this.#host.log);
  }

  /** Resolves when every document has been read or refused. */
  async settled(): Promise<void> {
    const sources = [...(this.#current?.sources.values() ?? [])].map(({ source }) => source);
    await Promise.all(sources.map((source) => (source instanceof ServiceSource ? source.load() : undefined)));
  }

  get isSettled(): boolean {
    return [...(this.#current?.sources.values() ?? [])].every(({ source }) => source.snapshot.state !== 'loading');
  }

  status(): SourceStatus[] {
    const { entries, doors, merged } = this.#generation;
    const sources = [...entries.values()].map(({ name, kind, origin, source, plan }): SourceStatus => {
      const error = source instanceof ServiceSource ? source.failure : source.snapshot.error;
      return {
        name,
        kind,
        origin,
        state: source.snapshot.state,
        tools: source.snapshot.tools.length,
        ...entryHealth(plan),
        ...(error === undefined ? {} : { error }),
      };
    });
    const virtual = [...doors.values()]
      .filter((door) => door.facts.kind === 'virtual')
      .map((door): SourceStatus => {
        const { name } = door.facts;
        const problem = door.problems[0]?.message;
        return {
          name,
          kind: 'virtual-server',
          origin: merged.origin('virtual-servers', name),
          state: 'ready',
          tools: door.offer.tools.length,
          ...(problem === undefined ? {} : { error: problem }),
        };
      });
    return [...sources, ...virtual];
  }

  /** What a consumer sees on a door, as `tools/list` shows it. Throws `not_found`. */
  tools(door: string, consumer: Consumer): ToolDefinition[] {
    return [...this.#door(door).view(consumer).tools.values()].map((one) => one.shown);
  }

  /** What a search by the consumer finds on a door, with the evidence of each hit. Throws `not_found`. */
  async search(door: string, consumer: Consumer, query: string, { top, model }: SearchOptions = {}): Promise<JsonObject> {
    const view = this.#door(door).view(consumer);
    const found = await this.#searching.finder.find(view, query, top ?? view.search.top, { model: model ?? view.search.model });
    const { tools, ...rest } = foundTools(found);
    const evidence = found.tools.map(({ words, lexical, cosine }) => ({ words, lexical, ...(cosine === undefined ? {} : { cosine }) }));
    return {
      tools: (tools as readonly JsonObject[]).map((one, index) => ({ ...one, ...evidence[index] })),
      ...rest,
      ...(found.model === undefined ? {} : { model: found.model }),
    };
  }

  explain(door: string, tool: string, consumer: Consumer): Promise<Explanation> {
    return explainTool(this.#generation, door, tool, consumer);
  }

  /** The import report of a service as it is served. Throws `not_found`. */
  async report(service: string): Promise<ServiceReport> {
    const source = this.#generation.sources.get(service)?.source;
    if (!(source instanceof ServiceSource)) throw new GatewayError('not_found', `There is no service "${service}".`);
    return serviceReport(source.facts.place?.from === 'file' ? source.facts.place.display : service, source.document);
  }

  /** Fetches and compiles the document of a service again. */
  async refresh(service: string): Promise<ServiceReport> {
    const source = this.#generation.sources.get(service)?.source;
    if (source instanceof ServiceSource) await source.refresh();
    return this.report(service);
  }

  /** What is wrong with one entry in the running generation. */
  entryProblems(kind: string, name: string): readonly Problem[] {
    if (kind === 'virtual-servers') return this.#generation.doors.get(name)?.problems ?? [];
    const entry = this.#generation.entries.get(name);
    if (entry === undefined) return [];
    const { source } = entry;
    if (source instanceof ServiceSource) {
      const { error, compiled } = source.document;
      if (error !== undefined) return [{ severity: 'error', ...error }];
      return compiled === undefined ? [] : leftOutOf(compiled.leftOut);
    }
    return source.snapshot.error === undefined ? [] : [{ code: 'source_failed', severity: 'error', message: source.snapshot.error }];
  }

  /** Reads documents again that could not be had: what may be reached has changed. */
  loadFailedAgain(): void {
    for (const { source } of this.#generation.sources.values()) {
      if (source instanceof ServiceSource && source.document.error !== undefined) void source.refresh();
    }
  }

  /** Ends the open streams of consumers who lost a credential. */
  endStreams(consumers: ReadonlySet<string>): void {
    if (consumers.size > 0) this.#announcements.endOf(consumers);
  }

  /** Of all sources that are called now. */
  gaugeKeys(): readonly string[] {
    return [...this.#generation.entries.keys()].map(gaugeKey);
  }

  close(): void {
    this.#warmUp.close();
    this.#announcements.endAll();
  }

  get #generation(): ToolsGeneration {
    if (this.#current === undefined) throw new GatewayError('unavailable');
    return this.#current;
  }

  #door(name: string): Door {
    const found = this.#generation.doors.get(name);
    if (found === undefined) throw new GatewayError('not_found', `There is no server "${name}".`);
    return found;
  }

  #sourceChanged(name: string): void {
    for (const door of this.#generation.doors.values()) {
      if (door.facts.entries.some((entry) => entry.name === name)) door.invalidate();
    }
    this.#warmUp.follow([...this.#generation.doors.values()]);
    this.#announcements.refresh();
  }
}

/** What calls have shown of a source; nothing before the first. */
function entryHealth({ pools }: Plan): Pick<SourceStatus, 'calls'> {
  const { gauge } = pools[0]!.choices[0]!;
  return gauge.samples === 0 && gauge.inFlight === 0 ? {} : { calls: gauge.status(Date.now()) };
}

/** Operations without a tool as one warning: a document of others may have hundreds. */
function leftOutOf(leftOut: readonly LeftOut[]): Problem[] {
  const [first] = leftOut;
  if (first === undefined) return [];
  const count = leftOut.length === 1 ? '1 operation is left out' : `${leftOut.length} operations are left out, the first`;
  const message = `${count}: ${first.method} ${first.path}: ${first.message} \`hubgate import --dry-run\` lists all with their reasons.`;
  return [{ code: 'operations_left_out', severity: 'warning', message }];
}

/** A policy that reads whole replies makes streams wait; only sources with a conversation of their own stream. */
function holdingPolicies({ facts }: Door): Problem[] {
  if (!facts.entries.some((entry) => entry.source.mode === 'session')) return [];
  const place = facts.name === '' ? '/mcp' : `/mcp/${facts.name}`;
  return facts.chain.holding.map((policy) => ({
    code: 'holds_streams',
    severity: 'warning',
    message: `The policy ${policy} reads whole replies, so it holds streams on ${place}.`,
  }));
}

function sourcesOf({ sources }: ToolsGeneration): ToolSource[] {
  return [...sources.values()].map(({ source }) => source);
}
