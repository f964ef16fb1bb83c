import type { AgentConfig } from '../../../../config/types.ts';
import type { AgentsChunk } from '../../../../core/agents.ts';
import type { Call, Handled } from '../../../../core/call.ts';
import type { AgentLine, AgentSnapshot, AgentSource } from '../../../../core/contracts/agent-source.ts';
import { GatewayError } from '../../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../../core/json.ts';
import type { Logger } from '../../../../core/logger.ts';
import type { Secret } from '../../../../core/secret.ts';
import type { Cancellation, RequestSigner, UpstreamRequest } from '../../../../core/upstream.ts';
import { createOAuth2Signer } from '../../../../upstreams/auth/oauth2.ts';
import { placedSigner } from '../../../../upstreams/auth/placed-signer.ts';
import { rememberedSigners } from '../../../../upstreams/auth/remembered-signers.ts';
import type { UpstreamHttp } from '../../../../upstreams/http.ts';
import { cardAddresses, CardKeeper } from '../../cards/card-keeper.ts';
import type { CardInterface } from '../../cards/read-card.ts';
import { agentError } from '../../wires/agent-errors.ts';
import type { BindingName } from '../../wires/wire.ts';
import { isSameOrigin, pathBelow, readAddress, type Address } from './address.ts';
import { readEvents } from './agent-events.ts';
import { callable, chooseInterface, type CalledInterface } from './choose-interface.ts';
import { createCredentials, type Credentials } from './credentials.ts';
import { createMask, type Mask } from './mask.ts';
import { maskedFault } from './masked-fault.ts';
import { readAnswer, readWhole } from './read-answer.ts';
import { isStream, writeRequest, type CallTimeouts } from './write-request.ts';

/** What the configuration says of one instance. */
export interface A2AFacts {
  readonly name: string;
  /** Where the card is, or an address below which it is looked for; `demo:echo` is inside the hub. */
  readonly card: string;
  readonly auth?: AgentConfig['auth'];
  /** Sent with every request to where the agent is, that for the card included. */
  readonly headers?: Readonly<Record<string, Secret>> | undefined;
  readonly bindings?: readonly BindingName[] | undefined;
  /** URIs that callers may ask the agent for; those on its card when absent. */
  readonly extensions?: readonly string[] | undefined;
  readonly signatures?: AgentConfig['signatures'];
  readonly timeouts?: CallTimeouts | undefined;
  readonly health?: { readonly path?: string | undefined } | undefined;
  /** Who named the address of the card. */
  readonly trust: UpstreamRequest['trust'];
}

/** What the hub lends to a source. */
export interface A2AHost {
  readonly http: UpstreamHttp;
  readonly log: Logger;
  /** Masks known secrets. */
  redact(text: string): string;
  /** Makes a value known as a secret; gives the way to forget it. */
  addSecret?(value: string): () => void;
  /** Milliseconds since the epoch. */
  now?(): number;
}

/** Milliseconds that a call waits for the first card. */
const CARD_MS = 15_000;
const PROBE_MS = 5_000;
const NOT_SPOKEN = 'The card names no interface that the hub speaks: JSONRPC or HTTP+JSON, in A2A 1.0 or 0.3';

/**
 * One upstream agent that speaks A2A 1.0 or 0.3 over JSON-RPC or HTTP+JSON. `refresh` reads its card; from then on the card is kept fresh. Throws
 * GatewayError `bad_request` for a card address that is none.
 */
export function createA2ASource(facts: A2AFacts, host: A2AHost): AgentSource {
  return new A2ASource(facts, host);
}

class A2ASource implements AgentSource {
  readonly name: string;
  readonly upstream: string;
  readonly #facts: A2AFacts;
  readonly #host: A2AHost;
  readonly #keeper: CardKeeper;
  readonly #credentials: Credentials;
  readonly #headers: readonly RequestSigner[];
  readonly #now: () => number;
  #known: Known | undefined;

  constructor(facts: A2AFacts, host: A2AHost) {
    const { name, card, headers = {}, signatures, trust } = facts;
    const address = readAddress(card);
    if (address === undefined)
      throw new GatewayError('bad_request', `${placeOf(name)}: card is no address that the hub can read a card from.`);
    this.name = name;
    this.upstream = address.origin;
    this.#facts = facts;
    this.#host = host;
    this.#now = host.now ?? Date.now;
    const placed = Object.entries(headers).map(([header, value]) => [header.toLowerCase(), () => value.reveal()] as const);
    this.#headers = placed.length === 0 ? [] : [placedSigner({ headers: placed })];
    const powers = { send: host.http.send, now: this.#now, addSecret: host.addSecret ?? (() => () => undefined) };
    const oauth2 = rememberedSigners((client) => createOAuth2Signer(client, { ...powers, trust }));
    this.#credentials = createCredentials({ place: placeOf(name), home: this.upstream }, facts.auth, oauth2);
    this.#keeper = new CardKeeper({
      name,
      url: card,
      fetch: (url, options) => host.http.fetchDocument(url, { ...options, trust }),
      signers: this.#ownSigners,
      ...(signatures === undefined ? {} : { signatures }),
      now: this.#now,
      log: host.log,
    });
  }

  get snapshot(): AgentSnapshot {
    return this.#current.snapshot;
  }

  subscribe(listener: () => void): () => void {
    return this.#keeper.subscribe(listener);
  }

  refresh(): Promise<void> {
    return this.#keeper.refresh();
  }

  async call(call: Call<'agents'>, line: AgentLine): Promise<Handled<'agents'>> {
    try {
      const { card, called } = await this.#ready(call, line);
      const signers = [...this.#headers, ...this.#credentials.forCall(call, card)];
      return await this.#carryOut({ card, called, signers, line });
    } catch (error) {
      throw maskedFault(error, this.#mask);
    }
  }

  /** Any answer below 500 is one of somebody who is there. */
  async probe(signal: Cancellation): Promise<void> {
    const { card, health, trust } = this.#facts;
    const place = health?.path === undefined ? readAddress(cardAddresses(card)[0]!)! : below(readAddress(card)!, health.path);
    let request: UpstreamRequest = {
      method: 'GET',
      origin: place.origin,
      path: pathBelow(place, ''),
      headers: { accept: 'application/json' },
      trust,
      timeoutMs: PROBE_MS,
    };
    for (const signer of this.#ownSigners) request = await signer.sign(request, { refresh: false });
    const { status } = await this.#host.http.send(request, { signal });
    if (status >= 500) throw new GatewayError('upstream_failed', `${this.name} answered the check with ${status}.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#keeper[Symbol.dispose]();
  }

  async #carryOut({ card, called, signers, line }: Way): Promise<Handled<'agents'>> {
    const { operation, params } = line;
    const abilities = isObject(card['capabilities']) ? card['capabilities'] : {};
    if (operation === 'agent/card' && abilities['extendedAgentCard'] !== true) {
      throw agentError('UnsupportedOperation', 'The agent has no extended card.');
    }
    const opens = isStream(operation) && (operation === 'tasks/resubscribe' || abilities['streaming'] !== false);
    const sent = operation === 'message/stream' && !opens ? 'message/send' : operation;
    const request = writeRequest(sent, params, called, this.#allowed(line.extensions, abilities), {
      timeouts: this.#facts.timeouts ?? {},
      trust: this.#trustIn(called.address.origin),
    });
    if (!opens) {
      const answer = await line.send(request, signers);
      const result = readAnswer(sent, called.wire, answer, this.#now());
      return isStream(operation) ? { stream: once({ event: result }) } : { reply: { result } };
    }
    const answer = await line.open(request, signers);
    const type = answer.headers['content-type'];
    if (answer.status < 300 && typeof type === 'string' && /^text\/event-stream\b/i.test(type)) {
      return { stream: readEvents(answer.body, called.wire, (error) => maskedFault(error, this.#mask)) };
    }
    // An agent without streams answers with all of it, which is a task or a message as `message/send` has it.
    const result = readAnswer('message/send', called.wire, await readWhole(answer), this.#now());
    return { stream: once({ event: result }) };
  }

  /** Extensions that the caller asks for and the agent may hear of, in the caller's order. */
  #allowed(asked: readonly string[], { extensions }: JsonObject): readonly string[] {
    if (asked.length === 0) return asked;
    const onCard = (Array.isArray(extensions) ? extensions.filter(isObject) : []).map(({ uri }) => uri);
    const allowed = new Set<unknown>(this.#facts.extensions ?? onCard);
    return asked.filter((uri) => allowed.has(uri));
  }

  /** Waits for the first card. Throws GatewayError `unavailable`. */
  async #ready(call: Call<'agents'>, { speaks }: AgentLine): Promise<{ readonly card: JsonObject; readonly called: CalledInterface }> {
    if (this.#keeper.snapshot.state === 'loading') await atMost(this.#keeper.refresh(), CARD_MS, call.signal);
    const { snapshot, callable: known } = this.#current;
    const called = chooseInterface(known, speaks);
    if (snapshot.card !== undefined && called !== undefined) return { card: snapshot.card, called };
    const why = snapshot.error ?? 'its card is not there yet.';
    throw new GatewayError('unavailable', `The agent cannot be called now: ${why}`);
  }

  /** What follows from the card, made anew when that has changed. */
  get #current(): Known {
    const kept = this.#keeper.snapshot;
    if (this.#known?.of === kept) return this.#known;
    const { card, auth, headers = {} } = this.#facts;
    const { interfaces } = this.#keeper;
    const hasCredentials = auth !== undefined || Object.keys(headers).length > 0;
    const found = callable(interfaces, { home: this.upstream, bindings: this.#facts.bindings, hasCredentials });
    const mask = createMask([...cardAddresses(card), ...interfaces.map(({ url }) => url)], (text) => this.#host.redact(text));
    const useless = kept.card !== undefined && found.interfaces.length === 0;
    const error = useless ? this.#uselessCard(interfaces, found.refused) : kept.error;
    const snapshot: AgentSnapshot = {
      ...kept,
      ...(useless ? { state: 'failed', version: `${kept.version}!` } : {}),
      ...(error === undefined ? {} : { error: this.#host.redact(error) }),
    };
    return (this.#known = { of: kept, snapshot, callable: found.interfaces, mask });
  }

  /** Why none of the interfaces on the card is called. */
  #uselessCard(interfaces: readonly CardInterface[], refused: ReadonlySet<string>): string {
    const { name, bindings } = this.#facts;
    if (refused.size > 0) {
      const origins = [...refused].join(' and ');
      return `The card is at ${this.upstream} and names only ${origins} to call. Credentials go to the origin of the card alone: give the card's address at ${origins} as card of ${placeOf(name)}, or take out auth and headers.`;
    }
    const found = interfaces.map(({ binding, version }) => `${binding} ${version}`).join(', ');
    return `${NOT_SPOKEN}${bindings === undefined ? '' : ` (of these only ${bindings.join(', ')})`}. It has: ${found}.`;
  }

  get #mask(): Mask {
    return this.#current.mask;
  }

  get #ownSigners(): readonly RequestSigner[] {
    return [...this.#headers, ...this.#credentials.own];
  }

  /** An address that stands on the card is the agent's word, but for those where the card itself is (DESIGN 2.2, Egress). */
  #trustIn(origin: string): UpstreamRequest['trust'] {
    return isSameOrigin(origin, this.upstream) ? this.#facts.trust : 'public';
  }
}

interface Known {
  readonly of: AgentSnapshot;
  readonly snapshot: AgentSnapshot;
  readonly callable: readonly CalledInterface[];
  readonly mask: Mask;
}

/** All that one call is carried out with. */
interface Way {
  readonly card: JsonObject;
  readonly called: CalledInterface;
  readonly signers: readonly RequestSigner[];
  readonly line: AgentLine;
}

/** The agent's place in the configuration; instances are named `agent#more`. */
function placeOf(name: string): string {
  return `agents.${name.replace(/#.*$/, '')}`;
}

/** Where `path` is below the address of a card. */
function below({ origin, path }: Address, wanted: string): Address {
  const base = path.replace(/\/\.well-known\/[^/]*$|\/[^/]*\.json$/i, '');
  const [pathname = '', search = ''] = pathBelow({ origin, path: base, search: '' }, wanted.startsWith('/') ? wanted : `/${wanted}`).split(
    /(?=\?)/,
  );
  return { origin, path: pathname, search };
}

async function* once(chunk: AgentsChunk): AsyncGenerator<AgentsChunk, undefined> {
  yield chunk;
}

/** Settles with the promise, when the time is up, or when nobody waits any more. */
async function atMost(promise: Promise<void>, ms: number, signal: AbortSignal): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const leave = (): void => resolve();
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave);
  try {
    await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
  }
}
