import { type JsonObject, isObject } from '../../../core/json.ts';
import { createHash } from 'node:crypto';
import type { SessionSeal } from '../../../access/session-seal.ts';
import type { EndedSessionStore } from '../../../core/contracts/store.ts';
import type { LiveCall } from '../../../pipeline/live-call.ts';
import { type RpcId, type RpcResponse } from '../mcp/message.ts';
import type { ListKind } from '../doors/view.ts';

/** What a session id carries, sealed: enough to go on after a restart or on another node. */
interface SessionFacts {
  readonly consumer: string;
  readonly door: string;
  readonly protocolVersion: string;
  readonly clientCapabilities: JsonObject;
  readonly clientInfo: JsonObject | undefined;
}

/** A question to the client that waits: for its answer, or for the news that none will come. */
interface Question {
  answer(answer: RpcResponse): void;
  leave(): void;
}

/** What one session may subscribe to. */
const MOST_SUBSCRIPTIONS = 1_000;

/** One client session of revisions before 2026-07-28. What is not sealed is lost with the process, and nothing a client needs is in it. */
export class Session implements SessionFacts {
  readonly id: string;
  readonly consumer: string;
  readonly door: string;
  readonly protocolVersion: string;
  readonly clientCapabilities: JsonObject;
  readonly clientInfo: JsonObject | undefined;
  /** The versions of the lists that the client has last heard of; absent after a restart, when nobody knows. */
  readonly seen = new Map<ListKind, string>();
  /** Open GET streams. */
  readonly streams = new Set<{ end(): void }>();
  readonly subscriptions = new Set<string>();
  /** Calls in flight, by the id of their request. */
  readonly calls = new Map<RpcId, LiveCall<'tools'>>();
  /** By the id we gave them. */
  readonly questions = new Map<RpcId, Question>();

  constructor(id: string, facts: SessionFacts) {
    this.id = id;
    this.consumer = facts.consumer;
    this.door = facts.door;
    this.protocolVersion = facts.protocolVersion;
    this.clientCapabilities = facts.clientCapabilities;
    this.clientInfo = facts.clientInfo;
  }

  /** Subscriptions alone keep no session: without a stream nobody hears of what they find. */
  get isIdle(): boolean {
    return this.streams.size === 0 && this.calls.size === 0;
  }

  /** False when the session has as many subscriptions as one may have. */
  subscribe(uri: string): boolean {
    if (this.subscriptions.size >= MOST_SUBSCRIPTIONS && !this.subscriptions.has(uri)) return false;
    this.subscriptions.add(uri);
    return true;
  }
}

/** Capabilities are sealed into an id that travels in a header: what clients declare beyond this is left out. */
const KNOWN_CAPABILITIES = ['roots', 'sampling', 'elicitation', 'tasks', 'extensions', 'experimental'];
/** Sessions kept open in memory, and how long their ids are together, which says how much they hold; an idle one that falls out is opened again from its id. */
const MOST_KEPT = 10_000;
const MOST_TEXT = 4_000_000;

export class Sessions {
  readonly #seal: SessionSeal;
  readonly #endedStore: EndedSessionStore;
  /** Until when the id of an ended session would still be taken, by its digest; in the order of these times. */
  readonly #ended = new Map<string, number>();
  readonly #open = new Map<string, Session>();
  #text = 0;

  constructor(seal: SessionSeal, ended: EndedSessionStore) {
    this.#seal = seal;
    this.#endedStore = ended;
  }

  /** Reads which sessions were ended before; to be called once, before the first request. */
  async load(): Promise<void> {
    const all = await this.#endedStore.all();
    for (const { digest, until } of all.toSorted((a, b) => a.until - b.until)) this.#ended.set(digest, until);
    this.#sweep();
  }

  create(facts: SessionFacts): Session {
    const capabilities = Object.fromEntries(
      KNOWN_CAPABILITIES.filter((name) => Object.hasOwn(facts.clientCapabilities, name)).map((name) => [
        name,
        facts.clientCapabilities[name],
      ]),
    );
    const sealed = { ...facts, clientCapabilities: capabilities };
    return this.#keep(new Session(this.#seal.seal(sealed), sealed));
  }

  /** The session of this consumer on this door; undefined when the id is unknown, ended, too old, or somebody else's. */
  find(id: string, consumer: string, door: string): Session | undefined {
    const session = this.#open.get(id) ?? this.#reopen(id);
    return session?.consumer === consumer && session.door === door ? session : undefined;
  }

  async end(session: Session): Promise<void> {
    const digest = digestOf(session.id);
    const until = Date.now() + this.#seal.maxAgeMs;
    this.#sweep();
    this.#ended.set(digest, until);
    this.#drop(session);
    for (const stream of session.streams) stream.end();
    for (const call of session.calls.values()) call.abort(new Error('the client ended the session'));
    for (const question of session.questions.values()) question.leave();
    await this.#endedStore.add(digest, until);
  }

  /** Forgets the ended sessions whose ids are too old by now. */
  #sweep(): void {
    for (const [digest, until] of this.#ended) {
      if (until > Date.now()) break;
      this.#ended.delete(digest);
    }
  }

  #reopen(id: string): Session | undefined {
    const facts = this.#seal.open(id) as SessionFacts | undefined;
    if (facts === undefined || !isObject(facts.clientCapabilities) || this.#ended.has(digestOf(id))) return undefined;
    return this.#keep(new Session(id, facts));
  }

  #keep(session: Session): Session {
    this.#open.set(session.id, session);
    this.#text += session.id.length;
    for (const other of this.#open.values()) {
      if (this.#open.size <= MOST_KEPT && this.#text <= MOST_TEXT) break;
      if (other !== session && other.isIdle) this.#drop(other);
    }
    return session;
  }

  #drop({ id }: Session): void {
    if (this.#open.delete(id)) this.#text -= id.length;
  }
}

function digestOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url');
}
