import type { KeyValueStore } from './extension.ts';

/** What must survive a restart, and a loss of power once a promise has resolved. Times are milliseconds since the epoch. */
export interface Store {
  readonly resources: ResourceStore;
  readonly keys: KeyStore;
  readonly toolNames: ToolNameStore;
  readonly endedSessions: EndedSessionStore;
  /** The small persistent map of one extension; nobody else sees its keys. */
  keyValue(namespace: string): KeyValueStore;
  /** 32 random bytes, made when the store was made, for the digests of keys. */
  pepper(): Buffer;
  close(): Promise<void>;
}

/** Entries that console and admin API made. */
export interface ResourceStore {
  /** In the order of kind and name. */
  all(): Promise<readonly StoredResource[]>;
  /** The document of an entry: kept apart, since all() is read at every change. */
  document(kind: string, name: string): Promise<string | undefined>;
  /**
   * Creates or replaces the whole entry; secrets or a document that are left out are gone. With `ifRevision` the entry must exist and have
   * that revision. Returns the new revision.
   * @throws GatewayError `precondition_failed`
   */
  put(kind: string, name: string, entry: ResourceEntry, options?: { readonly ifRevision?: string }): Promise<string>;
  /**
   * False when there was none.
   * @throws GatewayError `precondition_failed` when there is one with another revision.
   */
  delete(kind: string, name: string, options?: { readonly ifRevision?: string }): Promise<boolean>;
}

export interface ResourceEntry {
  /** As the file would hold it, secrets left out. Any JSON. */
  readonly config: unknown;
  /** Secret values by JSON pointer into `config`; at rest they are encrypted. */
  readonly secrets?: ReadonlyMap<string, string>;
  /** A big text that belongs to the entry, such as an OpenAPI document. */
  readonly document?: string;
}

export interface StoredResource {
  readonly kind: string;
  readonly name: string;
  /** Opaque; never the same twice. */
  readonly revision: string;
  readonly config: unknown;
  readonly secrets: ReadonlyMap<string, string>;
  /** SHA-256 of the document in hex; absent when there is none. */
  readonly documentHash?: string;
  readonly updatedAt: number;
}

/** Keys that the hub made. The key itself is never here. */
export interface KeyStore {
  /** @throws GatewayError `conflict` when the digest is there already. */
  create(key: {
    readonly consumer: string;
    readonly digest: string;
    readonly label?: string;
    readonly expiresAt?: number;
  }): Promise<KeyRecord>;
  /** Oldest first. */
  list(consumer: string): Promise<readonly KeyRecord[]>;
  /** False when this consumer has no such key. */
  delete(consumer: string, id: string): Promise<boolean>;
  /** With digests, for those who look keys up. */
  all(): Promise<readonly StoredKey[]>;
}

/** A key as lists show it. */
export interface KeyRecord {
  readonly id: string;
  readonly consumer: string;
  readonly label?: string;
  readonly createdAt: number;
  readonly expiresAt?: number;
}

export interface StoredKey extends KeyRecord {
  readonly digest: string;
}

/** The names that tools were once given, by what identifies the operation inside its service. */
export interface ToolNameStore {
  get(service: string): Promise<ReadonlyMap<string, string>>;
  /** Replaces all names of the service. */
  put(service: string, names: ReadonlyMap<string, string>): Promise<void>;
}

/** Sessions that were ended before their time; forgotten when they would have ended by themselves. */
export interface EndedSessionStore {
  add(digest: string, until: number): Promise<void>;
  all(): Promise<readonly { readonly digest: string; readonly until: number }[]>;
}
