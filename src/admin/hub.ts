import type { Consumer } from '../core/consumer.ts';
import type { CallLog } from '../core/contracts/call-log.ts';
import type { Explanation, Problem, SourceStatus } from '../core/contracts/resource.ts';
import type { SemanticStatus } from '../core/contracts/semantics.ts';
import type { Store } from '../core/contracts/store.ts';

/** What the admin API may ask of the running hub; the composition root answers. It names no lane. */
export interface AdminHub {
  readonly store: Store;
  readonly calls: CallLog;
  status(): HubStatus;
  /** Loads everything again. Resolves when the new generation serves, or with the problems that refused it. */
  reload(): Promise<ReloadResult>;
  /** Takes up the keys of the store as they are now. Keys are no part of a generation: they work, and end, whatever the files say. */
  refreshKeys(): Promise<void>;
  /** What is configured under a kind, files and store together, secrets masked as `{ set: true }`, in the order of the configuration. */
  entries(kind: string): readonly ConfiguredEntry[];
  /** What is wrong with one entry in the running generation. */
  problems(kind: string, name: string): readonly Problem[];
  /** The consumer of that name; the anonymous one in open mode when `name` is undefined. Throws GatewayError `not_found`. */
  consumer(name: string | undefined): Consumer;
  /** The tools that a consumer sees on a server, as `tools/list` shows them; server '' is `/mcp`. Throws GatewayError `not_found`. */
  tools(server: string, consumer: Consumer): readonly object[];
  /** The tools that a consumer finds on a server, with the evidence. Throws GatewayError `not_found`. */
  searchTools(question: SearchQuestion): Promise<object>;
  /** What is found for questions against what should be. Throws GatewayError `not_found`. */
  evaluateTools(question: ToolsEvaluation): Promise<object>;
  /** What the intents of texts are found to be against what they are. Throws GatewayError `bad_request` when there are no intents. */
  evaluateRoutes(question: RoutesEvaluation): Promise<object>;
  /** The models that a consumer may call, as `GET /v1/models` lists them. */
  models(consumer: Consumer): Promise<readonly object[]>;
  /** Which route and targets a call of the model would take, and where limits stand. Throws GatewayError `not_found` for an API that is none. */
  explainModel(question: ModelQuestion): Promise<Explanation>;
  /** Whether a consumer may call an agent, and which instances its call would take. Throws GatewayError `not_found`. */
  explainAgent(question: { readonly agent: string; readonly consumer: Consumer; readonly skill?: string }): Promise<Explanation>;
  explainTool(server: string, tool: string, consumer: Consumer): Promise<Explanation>;
  /** The import report of a service: an object shaped like one line of `hubgate import --json`, with each operation and the last change besides. */
  report(service: string): Promise<object>;
  /** Fetches and compiles a service's document again; returns its report. */
  refresh(service: string): Promise<object>;
  /** Fetches the cards of an agent again; gives its state. Throws GatewayError `not_found`. */
  refreshAgent(agent: string): Promise<object>;
  /** Compiles a document that came in by the API without serving it; `url` is fetched under the egress rules for untrusted addresses. */
  examine(source: { readonly name: string } & ({ readonly url: string } | { readonly document: string })): Promise<ExaminedDocument>;
  /** Registers a value that must be masked wherever it shows up from now on. */
  addSecret(value: string): void;
}

export interface SearchQuestion {
  /** '' is `/mcp`. */
  readonly server: string;
  readonly consumer: Consumer;
  readonly query: string;
  /** That of the server's search when absent. */
  readonly top?: number;
}

/** A question, and the tools that answer it. */
export interface ToolExample {
  readonly query: string;
  /** Names as tools/list shows them; at least one. */
  readonly tools: readonly string[];
}

export interface ToolsEvaluation extends Pick<SearchQuestion, 'server' | 'consumer'> {
  /** As `embedding.model` takes it; that of the server's search when absent. */
  readonly model?: string;
  /** How many tools are offered. */
  readonly top?: readonly number[];
  readonly queries: readonly ToolExample[];
}

/** A text, and the intent that it has or the route that it should take; with neither, and with `none`, it is about none of the intents. */
export interface TextExample {
  readonly text: string;
  readonly intent?: string;
  readonly route?: string;
}

export interface RoutesEvaluation {
  /** As `embedding.model` takes it; that of `intentRouting` when absent. */
  readonly model?: string;
  readonly texts: readonly TextExample[];
}

/** A call that nobody makes. Without `request`, rules that ask about it are told and not decided. */
export interface ModelQuestion {
  readonly model: string;
  readonly consumer: Consumer;
  /** An entry of `apis`; `/v1` when absent. */
  readonly api?: string;
  readonly request?: { readonly headers: Readonly<Record<string, string>>; readonly text: string };
}

export interface ExaminedDocument {
  readonly ok: boolean;
  readonly report: object;
  /** The document's text, for the store. */
  readonly text: string;
}

export interface HubStatus {
  readonly version: string;
  readonly generation: number;
  readonly config: { readonly ok: boolean; readonly errors: readonly Problem[]; readonly warnings: readonly Problem[] };
  readonly sources: readonly SourceStatus[];
  /** What the routes of the models lane call. */
  readonly targets: readonly object[];
  /** With each of their instances. */
  readonly agents: readonly object[];
  /** What answers for the model of `embedding`; in `others` the same of those that uses name. */
  readonly semantic: SemanticStatus & { readonly others?: readonly SemanticStatus[] };
}

export interface ReloadResult {
  readonly ok: boolean;
  readonly generation: number;
  readonly problems: readonly Problem[];
}

export interface ConfiguredEntry {
  readonly name: string;
  readonly origin: 'file' | 'store';
  readonly config: unknown;
  readonly revision: string;
}
