import path from 'node:path';
import type { DocumentPlace, HubConfig, Origin, OverlayFile, ServiceConfig } from '../../../config/types.ts';
import type { Call } from '../../../core/call.ts';
import type { PreparedCall, ReadResource, SourceEvent, SourceSnapshot, StatelessToolSource } from '../../../core/contracts/tool-source.ts';
import type { Awaitable } from '../../../core/contracts/extension.ts';
import { documentText } from '../../../core/decode-text.ts';
import { GatewayError } from '../../../core/errors.ts';
import { Redactor } from '../../../core/redact.ts';
import { Secret } from '../../../core/secret.ts';
import type { ToolsReply } from '../../../core/tools.ts';
import { VERSION } from '../../../core/version.ts';
import { createOAuth2Signer } from '../../../upstreams/auth/oauth2.ts';
import type { ToolsHost } from '../host.ts';
import { compileInWorker } from '../openapi/import-pool.ts';
import { DocumentError, type CompiledService, type CompileInput, type DocumentFault } from '../openapi/types.ts';
import { documentChanges, logServed, overlayTexts, type DocumentChanges } from './document-changes.ts';
import { createOpenApiSource } from './openapi.ts';

const MB = 1024 * 1024;
/** Milliseconds before a document that could not be fetched is tried again; doubled up to the second. */
const RETRY_MS = [5_000, 300_000] as const;

export interface ServiceFacts {
  readonly name: string;
  readonly origin: Origin;
  readonly config: ServiceConfig;
  readonly place: DocumentPlace | undefined;
  /** Applied to the document, in order. */
  readonly overlays?: readonly OverlayFile[];
  readonly limits: NonNullable<HubConfig['documents']>;
  /** Names all of the above; another key is another source. */
  readonly key: string;
  /** Names the document and the options it is compiled with. */
  readonly documentKey: string;
}

/** The document as it could be read: what the report and the status show. */
export interface DocumentState {
  readonly compiled: CompiledService | undefined;
  /** Why the newest document is not served. */
  readonly error: DocumentFault | undefined;
  /** Resolves with what changed when this document took the place of another one; absent for the first. */
  readonly changes?: Promise<DocumentChanges>;
}

const NOTHING: SourceSnapshot = {
  version: '',
  state: 'loading',
  tools: [],
  resources: [],
  resourceTemplates: [],
  prompts: [],
  features: {},
};

/** A service of the configuration: its document is read and compiled in the background; until then, and when a new one is bad, the last good tools stay. */
export class ServiceSource implements StatelessToolSource {
  readonly mode = 'stateless';
  readonly name: string;
  readonly facts: ServiceFacts;
  readonly #host: ToolsHost;
  readonly #listeners = new Set<(event: SourceEvent) => void>();
  #inner: StatelessToolSource | undefined;
  /** Where the document that `#inner` serves came from: credentials of another place are not for it. */
  #servedFrom = '';
  #document: DocumentState = { compiled: undefined, error: undefined };
  #documentHash = '';
  /** The document that the log named last as served, until it says that one is not. */
  #loggedHash = '';
  #retry: NodeJS.Timeout | undefined;
  #retryMs: number = RETRY_MS[0];
  #closed = false;
  /** Counts loads: one that is overtaken changes nothing any more. */
  #loads = 0;
  /** The document of `facts` has been read, or refused. */
  #isRead = false;
  #loading: Promise<void> | undefined;

  constructor(facts: ServiceFacts, host: ToolsHost, before?: ServiceSource) {
    this.name = facts.name;
    this.facts = facts;
    this.#host = host;
    const compiled = before?.document.compiled;
    if (before === undefined || compiled === undefined) return;
    this.#loggedHash = before.#loggedHash;
    this.#document = { ...before.#document, error: undefined };
    if (before.#servedFrom === placeOf(facts)) this.#serve(compiled);
    else this.#keep(before);
    if (before.#isRead && before.facts.documentKey === facts.documentKey) {
      this.#document = before.document;
      this.#documentHash = before.#documentHash;
      this.#isRead = true;
      this.#loading = Promise.resolve();
    }
  }

  get document(): DocumentState {
    return this.#document;
  }

  /** Why the newest document is not served, with the place in its file, for a person. */
  get failure(): string | undefined {
    const { error } = this.#document;
    const { place } = this.facts;
    const file = error?.file ?? (place?.from === 'file' ? place.display : undefined);
    return error === undefined || file === undefined ? error?.message : `${file}:${error.line ?? 1}: ${error.message}`;
  }

  get snapshot(): SourceSnapshot {
    const { error } = this.#document;
    if (this.#inner === undefined) return error === undefined ? NOTHING : { ...NOTHING, state: 'failed', error: error.message };
    return this.#inner.snapshot;
  }

  /** Reads the document unless that has been done; resolves when the source is ready or failed. */
  load(): Promise<void> {
    return (this.#loading ??= this.#load());
  }

  /** As `load`, and at once again what could not be fetched: an edit may have opened the way. */
  loadAgain(): Promise<void> {
    return this.#document.error !== undefined && this.facts.place?.from === 'url' ? this.refresh() : this.load();
  }

  /** Reads the document again, whatever is there. */
  refresh(): Promise<void> {
    return (this.#loading = this.#load());
  }

  subscribe(listener: (event: SourceEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  prepare(call: Call<'tools'>, name: string, readResource: ReadResource): Awaitable<PreparedCall | { readonly reply: ToolsReply }> {
    if (this.#inner === undefined) throw new GatewayError('unavailable', `The service ${this.name} has no document that can be read yet.`);
    return this.#inner.prepare(call, name, readResource);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#listeners.clear();
  }

  async #load(): Promise<void> {
    const load = ++this.#loads;
    const isCurrent = (): boolean => !this.#closed && load === this.#loads;
    clearTimeout(this.#retry);
    let changed = true;
    try {
      const compiled = await this.#compile(isCurrent);
      if (isCurrent()) changed = this.#accept(compiled);
    } catch (error) {
      if (isCurrent()) this.#fail(error);
    }
    if (isCurrent()) {
      this.#isRead = true;
      if (changed) this.#announce();
    } else if (!this.#closed) await this.#loading;
  }

  async #compile(isCurrent: () => boolean): Promise<CompiledService> {
    const { name, config, place, overlays: files = [] } = this.facts;
    const overlays = overlayTexts(files);
    const { text, ...where } = await this.#read(place);
    const names = Object.fromEntries(await this.#host.toolNames.get(name));
    const options = { outputSchemas: config.outputSchemas ?? false, exposeOperation: config.exposeOperation ?? true };
    const { operations, references, depth, aliases, cpuTime, memory, fileSize, urlSize } = this.facts.limits;
    const bytes = place?.from === 'url' ? urlSize : fileSize;
    const limits = defined({ bytes, operations, references, depth, aliases });
    const bounds = defined({ limitMs: cpuTime, memoryMb: memory && Math.ceil(memory / MB) });
    const compiled = await compileInWorker({ text, name, names, options, limits, overlays, ...where }, bounds);
    if (isCurrent() && !sameNames(names, compiled.names)) await this.#host.toolNames.put(name, new Map(Object.entries(compiled.names)));
    return compiled;
  }

  /** Returns whether that changed anything. */
  #accept(compiled: CompiledService): boolean {
    const changed = compiled.hash !== this.#documentHash || this.#document.error !== undefined;
    const { compiled: before, changes: known } = this.#document;
    const isOther = before !== undefined && before.hash !== compiled.hash;
    const changes = isOther ? documentChanges(before, compiled) : known;
    this.#serve(compiled);
    this.#document = { compiled, error: undefined, ...(changes && { changes }) };
    this.#documentHash = compiled.hash;
    this.#retryMs = RETRY_MS[0];
    void this.#logServed(compiled, isOther ? changes : undefined);
    return changed;
  }

  async #logServed(compiled: CompiledService, changes: Promise<DocumentChanges> | undefined): Promise<void> {
    if (compiled.hash === this.#loggedHash) return;
    this.#loggedHash = compiled.hash;
    const { log } = this.#host;
    try {
      logServed(log, this.name, compiled, await changes);
    } catch (err) {
      log.error({ service: this.name, err }, 'the changes of the document could not be told');
    }
  }

  async #read(place: DocumentPlace | undefined): Promise<Pick<CompileInput, 'text' | 'file' | 'url' | 'folder'>> {
    if (place === undefined)
      throw new DocumentError('no_document', `The service ${this.name} names no document. Give it spec: with a file or a URL.`);
    if (place.from === 'store') return { text: await place.text() };
    if (place.from === 'file') {
      if (place.error !== undefined) throw new DocumentError(place.error.code, place.error.message, place.error);
      const { text, display: file, related } = place;
      return {
        text,
        file,
        folder: { entry: path.basename(file), files: related?.files ?? new Map(), unread: related?.unread ?? new Map() },
      };
    }
    const { urlSize, urlTimeout } = this.facts.limits;
    const bounds = defined({ maxBytes: urlSize, timeoutMs: urlTimeout });
    const fetched = await this.#host.http.fetchDocument(place.url, { trust: this.#ownTrust, ...bounds });
    return { text: documentText(fetched.body), url: fetched.url };
  }

  #fail(error: unknown): void {
    this.#loggedHash = '';
    const { place } = this.facts;
    const fault = faultOf(error);
    const { code, message, line } = fault;
    this.#document = { ...this.#document, error: { ...fault, message: this.#host.redact(message) } };
    const file = fault.file ?? (place?.from === 'file' ? place.display : undefined);
    this.#host.log.warn(
      { service: this.name, code, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) },
      `document not served: ${message}`,
    );
    if (place?.from === 'url') {
      this.#retry = setTimeout(() => void this.#tryAgain(), this.#retryMs).unref();
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS[1]);
    }
  }

  async #tryAgain(): Promise<void> {
    try {
      await this.refresh();
    } catch (err) {
      this.#host.log.error({ service: this.name, err }, 'the document could not be read again');
    }
  }

  /** Goes on as `before` did, with its credentials, base URL and trust: those of the new facts are for a document that is not there yet. */
  #keep(before: ServiceSource): void {
    this.#inner = before.#inner;
    this.#servedFrom = before.#servedFrom;
  }

  #serve(compiled: CompiledService): void {
    const { name, config } = this.facts;
    const host = this.#host;
    const own = new Redactor();
    for (const secret of secretsOf(config.auth)) own.add(secret.reveal());
    this.#document = { ...this.#document, compiled };
    this.#servedFrom = placeOf(this.facts);
    this.#inner = createOpenApiSource({
      name,
      compiled,
      trust: this.#trust,
      redact: (text) => host.redact(text),
      redactOwn: (text) => own.redact(text),
      oauth2: (credentials) =>
        createOAuth2Signer(credentials, {
          send: (request) => host.http.send(request),
          trust: this.#tokenTrust(credentials.tokenUrl),
          now: Date.now,
          addSecret(value) {
            const forget = [host.addSecret(value), own.add(value)];
            return () => forget.forEach((one) => one());
          },
        }),
      version: VERSION,
      ...(config.baseUrl === undefined ? {} : { baseUrl: config.baseUrl }),
      ...(config.auth === undefined ? {} : { auth: config.auth }),
      ...(config.timeout === undefined ? {} : { timeoutMs: config.timeout }),
    });
  }

  /** Who named an address of this service (DESIGN 2.2, Egress). */
  readonly #trust = (origin: string): 'operator' | 'public' =>
    this.facts.config.baseUrl === undefined ? this.#trustIn(origin) : this.#ownTrust;

  /** An address that the configuration names is the configuration's, whatever the document says. */
  #tokenTrust(url: string): 'operator' | 'public' {
    return tokenUrlsOf(this.facts.config.auth).includes(url) ? this.#ownTrust : this.#trustIn(new URL(url).origin);
  }

  get #ownTrust(): 'operator' | 'public' {
    return this.facts.origin === 'file' ? 'operator' : 'public';
  }

  /** Of an address that the document names. */
  #trustIn(origin: string): 'operator' | 'public' {
    const { place } = this.facts;
    const foreign = place?.from === 'url' && new URL(place.url).origin !== origin;
    return foreign ? 'public' : this.#ownTrust;
  }

  #announce(): void {
    for (const listener of this.#listeners) {
      try {
        listener({ type: 'lists' });
      } catch (err) {
        this.#host.log.error({ service: this.name, err }, 'a change of the tools could not be announced');
      }
    }
  }
}

function faultOf(error: unknown): DocumentFault {
  if (error instanceof DocumentError) return error.toFault();
  const { code, message } = GatewayError.from(error);
  return { code, message };
}

/** Names where a document is, whatever it says there; one of the store is another one whenever it is replaced. */
function placeOf({ origin, place }: ServiceFacts): string {
  if (place === undefined) return '';
  const where = place.from === 'url' ? place.url : place.from === 'file' ? place.display : place.hash;
  return JSON.stringify([origin, place.from, where]);
}

/** Only what is set: an absent limit is the default of whoever keeps it. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function secretsOf(part: unknown): Secret[] {
  if (part instanceof Secret) return [part];
  return typeof part === 'object' && part !== null ? Object.values(part).flatMap(secretsOf) : [];
}

function tokenUrlsOf(auth: ServiceConfig['auth']): (string | undefined)[] {
  if (auth === undefined) return [];
  if ('oauth2' in auth) return [auth.oauth2.tokenUrl];
  return 'schemes' in auth ? Object.values(auth.schemes).map((one) => ('tokenUrl' in one ? one.tokenUrl : undefined)) : [];
}

function sameNames(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(b);
  return Object.keys(a).length === keys.length && keys.every((key) => Object.hasOwn(a, key) && a[key] === b[key]);
}
