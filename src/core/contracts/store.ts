import type { KeyValueStore } from './extension.ts';

/** What must survive a restart, and a loss of power once a promise has resolved. Times are milliseconds since the epoch. */
export interface Store {
  readonly resources: ResourceStore;
  readonly keys: KeyStore;
  readonly toolNames: ToolNameStore;
  readonly endedSessions: EndedSessionStore;
  readonly tasks: TaskStore;
  readonly vectors: VectorStore;
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

/** Tasks of agents: who began them and which instance works on them. The texts of tasks are not kept, but of those that the hub itself carries out. */
export interface TaskStore {
  /** Creates the record, or brings `state`, `updatedAt` and what else is given up to date; owner and instance stay as they were, and so does an ended task for whoever says that it has not ended. */
  put(task: TaskRecord): Promise<void>;
  get(agent: string, task: string): Promise<TaskRecord | undefined>;
  /**
   * Of one owner and agent, latest change first. `before` is a position that an earlier page ended at, `total` counts those on all pages.
   * @throws GatewayError `bad_request` when `before` is no such position.
   */
  list(query: TaskQuery): Promise<{ readonly tasks: readonly TaskRecord[]; readonly next?: string; readonly total: number }>;
  /**
   * Creates the record, or brings `updatedAt` and an instance that is not empty up to date, where the owner is the same; another's stays as it is. Gives what is there
   * then: of two at the same moment, both get the owner who was first.
   */
  putContext(context: ContextRecord): Promise<Pick<ContextRecord, 'owner' | 'instance'>>;
  /** Of those that the hub carries out and had not ended. */
  unfinished(agent: string): Promise<readonly TaskRecord[]>;
  /** Forgets the task and where its owner wants to be told of it. */
  delete(agent: string, task: string): Promise<void>;
  /** Forgets what has not changed since then. */
  forget(before: number): Promise<void>;
  /**
   * Creates or replaces the one with this digest, and takes the place of another of the same task and id. False, and nothing is changed, when the task
   * has as many as `most` others; any number unless said.
   */
  putPush(config: PushRecord, most?: number): Promise<boolean>;
  /** By the digest of the token in the address that the agent was given. */
  pushByDigest(digest: string): Promise<PushRecord | undefined>;
  /** Oldest first. */
  pushes(agent: string, task: string): Promise<readonly PushRecord[]>;
  /** False when there was none. */
  deletePush(digest: string): Promise<boolean>;
}

export interface TaskRecord {
  readonly agent: string;
  readonly task: string;
  readonly context: string;
  /** The name of the consumer. */
  readonly owner: string;
  /** The name of the source. */
  readonly instance: string;
  /** Of A2A 1.0: `TASK_STATE_WORKING`. */
  readonly state: string;
  readonly updatedAt: number;
  /** The task itself, for those that the hub carries out. */
  readonly content?: unknown;
}

export interface TaskQuery {
  readonly agent: string;
  readonly owner: string;
  readonly context?: string;
  readonly state?: string;
  /** Milliseconds since the epoch: changed then or later. */
  readonly since?: number;
  readonly limit: number;
  readonly before?: string;
}

/** A conversation with an agent: its first owner keeps it. */
export interface ContextRecord {
  readonly agent: string;
  readonly context: string;
  /** The name of the consumer. */
  readonly owner: string;
  /** The name of the source that has it; empty until one has answered in it. */
  readonly instance: string;
  readonly updatedAt: number;
}

/** Where a caller wants to be told of its task. */
export interface PushRecord {
  readonly agent: string;
  /** Empty until the agent has said which task the message began. */
  readonly task: string;
  readonly id: string;
  readonly owner: string;
  /** The source that was asked to tell; absent where it was not known yet. */
  readonly instance?: string;
  /** SHA-256 of the token in the address that the agent was given, in hex. */
  readonly digest: string;
  /** In which shape the caller is told. */
  readonly version: '1.0' | '0.3';
  /** TaskPushNotificationConfig as the caller gave it. Address, token and credentials are secrets: at rest it is encrypted. */
  readonly config: unknown;
  readonly createdAt: number;
}

/** Vectors of texts, by the id of their model and the hash of the text: what was embedded once is there after a restart. */
export interface VectorStore {
  /** Those of the hashes that are there. */
  get(model: string, hashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>>;
  put(model: string, vectors: ReadonlyMap<string, Float32Array>): Promise<void>;
  /** Those of the hashes that are there are in use, though nobody gets them. */
  touch(model: string, hashes: readonly string[]): Promise<void>;
  /** Forgets what was neither put, got nor touched since then, or a day later. Milliseconds since the epoch. */
  forget(before: number): Promise<void>;
}
