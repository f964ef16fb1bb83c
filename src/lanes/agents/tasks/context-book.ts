import type { JsonObject } from '../../../core/json.ts';
import { isObject } from '../../../core/json.ts';
import { agentError } from '../wires/agent-errors.ts';
import type { TaskBookParts, TaskCall } from './task-book.ts';

interface KnownContext {
  readonly owner: string;
  /** Empty until an instance has answered in it. */
  readonly instance: string;
  readonly writtenAt: number;
}

/** Characters: it is a key of the store, which callers and agents make up. */
const LONGEST_CONTEXT = 1_024;
/** A conversation that goes on is written again after that, so that it is not forgotten. */
const TOUCH_MS = 3_600_000;

/**
 * Knows whose a conversation is and which instance has it, over restarts. The first consumer who names it, or whose message is answered in it, has
 * it for good: agents go by its id alone, so that whoever names it reaches into it. It is forgotten 30 days after it was last heard of.
 */
export class ContextBook {
  readonly #parts: TaskBookParts & { readonly maxKnown: number };
  /** The one that was asked for last stands last. */
  readonly #known = new Map<string, KnownContext>();
  /** By conversation, the write that is on its way. */
  readonly #writing = new Map<string, Promise<KnownContext>>();

  constructor(parts: TaskBookParts & { readonly maxKnown: number }) {
    this.#parts = parts;
  }

  /** See TaskBook. */
  async claim(agent: string, context: string, owner: string): Promise<{ readonly instance?: string } | 'foreign'> {
    if (context.length > LONGEST_CONTEXT)
      throw agentError('InvalidParams', `message.contextId must have at most ${LONGEST_CONTEXT} characters.`);
    const known = await this.#note({ agent, owner, instance: '' }, context, false);
    if (known.owner !== owner) return 'foreign';
    return known.instance === '' ? {} : { instance: known.instance };
  }

  /** Notes the conversation that a reply or an event is in. A promise must be waited for before it goes to the caller; rejects when a new one cannot be stored. */
  observe(call: TaskCall, moved: JsonObject): Promise<void> | undefined {
    const context = contextOf(moved);
    // Nobody can name a longer one.
    if (context === undefined || context.length > LONGEST_CONTEXT) return undefined;
    // What is asked of an older task, and what that tells, does not lead the conversation back to its instance.
    const noted = this.#note(call, context, isObject(moved['message']) || isObject(moved['task']));
    return noted instanceof Promise ? noted.then(() => undefined) : undefined;
  }

  forget(before: number): void {
    for (const [key, { writtenAt }] of this.#known) if (writtenAt < before) this.#known.delete(key);
  }

  /** Settles when nothing is being written. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#writing.values());
  }

  #note(call: TaskCall, context: string, leads: boolean): KnownContext | Promise<KnownContext> {
    const key = keyOf(call.agent, context);
    const again = (): KnownContext | Promise<KnownContext> => this.#note(call, context, leads);
    const writing = this.#writing.get(key);
    if (writing !== undefined) return writing.then(again, again);
    const known = this.#recall(key);
    if (known !== undefined && known.owner !== call.owner) return known;
    const isLed = known !== undefined && call.instance !== '' && known.instance !== call.instance && (leads || known.instance === '');
    if (known !== undefined && !isLed && this.#parts.now() - known.writtenAt < TOUCH_MS) return known;
    const instance = known === undefined || isLed ? call.instance : '';
    const written = this.#write({ ...call, instance }, context)
      .catch((error: unknown) => {
        if (known === undefined || isLed) throw error;
        this.#parts.log.warn({ err: error, agent: call.agent }, 'a conversation with an agent could not be stored');
        return known;
      })
      .finally(() => this.#writing.delete(key));
    this.#writing.set(key, written);
    return written;
  }

  async #write({ agent, owner, instance }: TaskCall, context: string): Promise<KnownContext> {
    const { store, now, maxKnown } = this.#parts;
    const writtenAt = now();
    const written = { ...(await store.putContext({ agent, context, owner, instance, updatedAt: writtenAt })), writtenAt };
    this.#known.set(keyOf(agent, context), written);
    const [oldest] = this.#known.keys();
    if (this.#known.size > maxKnown && oldest !== undefined) this.#known.delete(oldest);
    return written;
  }

  #recall(key: string): KnownContext | undefined {
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    this.#known.delete(key);
    this.#known.set(key, known);
    return known;
  }
}

/** Of a SendMessageResponse, a StreamResponse or a Task. */
function contextOf(moved: JsonObject): string | undefined {
  const said = moved['message'] ?? moved['task'] ?? moved['statusUpdate'] ?? moved['artifactUpdate'] ?? moved;
  const context = isObject(said) ? said['contextId'] : undefined;
  return typeof context === 'string' && context !== '' ? context : undefined;
}

/** Names of agents have no such character. */
function keyOf(agent: string, context: string): string {
  return `${agent}\n${context}`;
}
