import type { KeyObject } from 'node:crypto';
import { createSecretKey } from 'node:crypto';
import type { ConsumerConfig } from '../config/types.ts';
import type { Consumer } from '../core/consumer.ts';
import type { Problem } from '../core/contracts/resource.ts';
import type { StoredKey } from '../core/contracts/store.ts';
import { isHubKey, keyDigest, pepperedDigest } from './keys.ts';

interface Grant {
  readonly consumer: Consumer;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface DirectoryOptions {
  readonly consumers: readonly ConsumerConfig[];
  /** Keys that the hub made. Those of consumers that are not there any more open nothing. */
  readonly keys?: readonly StoredKey[];
  /** Needed when there are `keys`. */
  readonly pepper?: Buffer;
  readonly now?: () => number;
}

/** Keys that are kept as they came. */
const MOST_RECENT = 1_000;

/** All who may call, by name and by key. Immutable but for its cache; keys are looked up by digest, so that nothing secret is compared. */
export class ConsumerDirectory {
  /** No consumer is configured: everybody is the anonymous one. */
  readonly open: boolean;
  /** What makes the list ambiguous: every entry is an error. A key that two consumers have opens nothing. */
  readonly problems: readonly Problem[];
  /** Keys by the headers in which they came, for `identify`. Whether they are good is for `find` to say. */
  readonly byHeader = new Map<string, string>();
  readonly #consumers = new Map<string, Consumer>();
  readonly #byDigest = new Map<string, Grant>();
  readonly #byPeppered = new Map<string, Grant>();
  /** Keys of the hub's making that were right once, by their SHA-256, which costs a fifth of the HMAC. Holds as many as there are keys. */
  readonly #known = new Map<string, Grant>();
  /** Keys that came lately, as they are: finding one by its digest costs five times as much. Goes with the directory when a key is lost. */
  readonly #recent = new Map<string, Grant>();
  readonly #pepper: KeyObject | undefined;
  readonly #now: () => number;

  constructor({ consumers, keys = [], pepper, now = Date.now }: DirectoryOptions) {
    this.#pepper = pepper && createSecretKey(pepper);
    this.#now = now;
    this.open = consumers.length === 0;
    const problems: Problem[] = [];
    const shared = new Set<string>();
    for (const [index, config] of consumers.entries()) {
      const pointer = `/consumers/${index}`;
      if (this.#consumers.has(config.name)) {
        problems.push({ code: 'consumer_twice', severity: 'error', message: `There are two consumers named "${config.name}".`, pointer });
        continue;
      }
      const consumer: Consumer = Object.freeze({ name: config.name, groups: Object.freeze([...(config.groups ?? [])]), anonymous: false });
      this.#consumers.set(config.name, consumer);
      for (const [number, { sha256, expires }] of (config.keys ?? []).entries()) {
        const grant = { consumer, expiresAt: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires) };
        const other = add(this.#byDigest, sha256, grant);
        if (other === undefined) continue;
        shared.add(sha256);
        const message = `The consumers "${other}" and "${config.name}" have the same key. Give each its own.`;
        problems.push({ code: 'key_shared', severity: 'error', message, pointer: `${pointer}/keys/${number}` });
      }
    }
    for (const digest of shared) this.#byDigest.delete(digest);
    for (const key of keys) {
      const consumer = this.#consumers.get(key.consumer);
      if (consumer) add(this.#byPeppered, key.digest, { consumer, expiresAt: key.expiresAt ?? Number.POSITIVE_INFINITY });
    }
    this.problems = problems;
  }

  get(name: string): Consumer | undefined {
    return this.#consumers.get(name);
  }

  /** Names of those here who have lost a key, or themselves, in `next`. */
  lostIn(next: ConsumerDirectory): ReadonlySet<string> {
    const lost = new Set<string>();
    for (const [now, later] of [
      [this.#byDigest, next.#byDigest],
      [this.#byPeppered, next.#byPeppered],
    ] as const) {
      for (const [digest, { consumer }] of now) if (later.get(digest)?.consumer.name !== consumer.name) lost.add(consumer.name);
    }
    return lost;
  }

  /** Whose key this is, as long as it has not expired. */
  find(key: string): Consumer | undefined {
    const grant = this.#recent.get(key) ?? this.#findByDigest(key);
    return grant !== undefined && this.#now() < grant.expiresAt ? grant.consumer : undefined;
  }

  #findByDigest(key: string): Grant | undefined {
    const digest = keyDigest(key);
    const grant = this.#byDigest.get(digest) ?? this.#known.get(digest) ?? this.#findHubKey(key, digest);
    if (grant === undefined) return undefined;
    if (this.#recent.size >= MOST_RECENT) this.#recent.clear();
    this.#recent.set(key, grant);
    return grant;
  }

  #findHubKey(key: string, digest: string): Grant | undefined {
    if (this.#pepper === undefined || this.#byPeppered.size === 0 || !isHubKey(key)) return undefined;
    const grant = this.#byPeppered.get(pepperedDigest(key, this.#pepper));
    if (grant) this.#known.set(digest, grant);
    return grant;
  }
}

/** Of two entries for one key the one that ends later holds. Returns the other consumer's name when the key is another's. */
function add(grants: Map<string, Grant>, digest: string, grant: Grant): string | undefined {
  const there = grants.get(digest);
  if (there && there.consumer !== grant.consumer) return there.consumer.name;
  if (!there || there.expiresAt < grant.expiresAt) grants.set(digest, grant);
  return undefined;
}
