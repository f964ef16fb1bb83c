import type { Consumer } from '../../../core/consumer.ts';
import type { SourceEvent } from '../../../core/contracts/tool-source.ts';
import type { Door } from '../doors/catalog.ts';
import { versionOf, type ListKind } from '../doors/view.ts';

/** Somebody who wants to hear of changes: an open GET stream of a session, or a `subscriptions/listen` request. */
export interface Listener {
  readonly consumer: string;
  readonly door: string;
  /** What the client calls itself: its lists are in the form for it. */
  readonly clientName: unknown;
  /** The lists it asked about, with the versions it knows; a list without one was never seen. */
  readonly seen: Map<ListKind, string>;
  readonly kinds: readonly ListKind[];
  /** Of the URL that it listens at: `?query=` makes another list of tools. */
  readonly hasQuery: boolean;
  wantsResource(uri: string): boolean;
  changed(kind: ListKind): void;
  resourceUpdated(uri: string): void;
  /** The door or the consumer is gone. */
  end(): void;
}

/** Where doors and consumers are looked up now, by name: both may have changed since the stream was opened. */
export interface Present {
  door(name: string): Door | undefined;
  consumer(name: string): Consumer | undefined;
}

/** Tells open streams which of their lists have changed. Streams outlive generations; each is told only what changed for its own consumer. */
export class Announcements {
  readonly #listeners = new Set<Listener>();
  readonly #present: Present;

  constructor(present: Present) {
    this.#present = present;
  }

  get count(): number {
    return this.#listeners.size;
  }

  /** Adds a listener and tells it at once what has changed since it last looked. */
  add(listener: Listener): () => void {
    this.#listeners.add(listener);
    this.#tell(listener);
    return () => this.#listeners.delete(listener);
  }

  /** To be called after every swap of a generation and every change of a source. */
  refresh(): void {
    for (const listener of this.#listeners) this.#tell(listener);
  }

  /** Tells those who asked for the resource and may still read it. */
  resourceUpdated(event: Extract<SourceEvent, { type: 'resource-updated' }>, source: string): void {
    for (const listener of this.#listeners) {
      if (!listener.wantsResource(event.uri)) continue;
      const consumer = this.#present.consumer(listener.consumer);
      const found = consumer === undefined ? undefined : this.#present.door(listener.door)?.view(consumer).resource(event.uri);
      if (found?.entry.name === source) listener.resourceUpdated(event.uri);
    }
  }

  /** Ends the streams of consumers who lost a credential: whoever has another connects again. */
  endOf(consumers: ReadonlySet<string>): void {
    for (const listener of this.#listeners) {
      if (!consumers.has(listener.consumer)) continue;
      this.#listeners.delete(listener);
      listener.end();
    }
  }

  endAll(): void {
    for (const listener of this.#listeners) listener.end();
  }

  #tell(listener: Listener): void {
    const door = this.#present.door(listener.door);
    const consumer = this.#present.consumer(listener.consumer);
    if (door === undefined || consumer === undefined) {
      this.#listeners.delete(listener);
      listener.end();
      return;
    }
    const view = door.view(consumer, listener.clientName);
    for (const kind of listener.kinds) {
      const version = versionOf(view, kind, listener.hasQuery);
      if (listener.seen.get(kind) === version) continue;
      listener.seen.set(kind, version);
      listener.changed(kind);
    }
  }
}
