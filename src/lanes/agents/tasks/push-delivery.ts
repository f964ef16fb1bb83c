import { GatewayError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/logger.ts';
import { retryAfterMs } from '../../../core/units/retry-after.ts';
import type { UpstreamRequest } from '../../../core/upstream.ts';
import type { UpstreamHttp } from '../../../upstreams/http.ts';

export interface PushDeliveryParts {
  readonly http: Pick<UpstreamHttp, 'send'>;
  readonly log: Logger;
  now(): number;
  /** Masks known secrets. */
  redact(text: string): string;
  readonly limits?: Partial<PushLimits>;
}

/** What may wait at a time; what is over it is dropped, the oldest of its queue first: the last word on a task matters most. */
export interface PushLimits {
  /** Notifications for one address. Default 100. */
  readonly perQueue: number;
  /** Notifications in all. Default 1,000. */
  readonly inAll: number;
  /** Characters of all of them. Default 64,000,000. */
  readonly characters: number;
  /** Notifications for one owner, over all addresses: nobody fills the room of all others. Default 200. */
  readonly perOwner: number;
  /** Characters of those for one owner. Default 16,000,000. */
  readonly ownerCharacters: number;
}

export interface PushMessage {
  readonly agent: string;
  /** The name of the consumer who is told. */
  readonly owner: string;
  /** Characters, about. */
  readonly size: number;
  /** Made when its turn comes, once. */
  make(): Promise<UpstreamRequest>;
}

interface Queue {
  /** The first is on its way. */
  readonly messages: PushMessage[];
  readonly end: AbortController;
}

const DEFAULT_LIMITS: PushLimits = { perQueue: 100, inAll: 1_000, characters: 64_000_000, perOwner: 200, ownerCharacters: 16_000_000 };
/** Before the second try, the third, and so on; each by half shorter to by half longer. */
const WAITS_MS = [1_000, 5_000, 15_000, 45_000, 120_000];
const LONGEST_WAIT_MS = 300_000;
const RETRIED = new Set([408, 429]);

/** Delivers in the background, in the order of each queue; a queue that waits for a second try holds up no other. Lives in memory. */
export class PushDelivery {
  readonly #parts: PushDeliveryParts;
  readonly #limits: PushLimits;
  readonly #queues = new Map<string, Queue>();
  readonly #waiting: Share = { messages: 0, characters: 0 };
  /** Of those who have some. */
  readonly #shares = new Map<string, Share>();
  #dropped = 0;

  constructor(parts: PushDeliveryParts) {
    this.#parts = parts;
    this.#limits = { ...DEFAULT_LIMITS, ...parts.limits };
  }

  add(name: string, message: PushMessage): void {
    const queue = this.#queues.get(name) ?? { messages: [], end: new AbortController() };
    const { messages } = queue;
    while (this.#isFull(queue, message) && messages.length > 1) this.#drop(messages.splice(1, 1)[0]!);
    if (this.#isFull(queue, message)) return this.#noteDropped(message);
    messages.push(message);
    const share = this.#shares.get(message.owner) ?? { messages: 0, characters: 0 };
    this.#shares.set(message.owner, share);
    for (const one of [this.#waiting, share]) grow(one, 1, message.size);
    if (messages.length > 1) return undefined;
    this.#queues.set(name, queue);
    void this.#work(name, queue);
    return undefined;
  }

  /** Nothing more is sent for this queue. */
  end(name: string): void {
    const queue = this.#queues.get(name);
    if (queue === undefined) return;
    this.#queues.delete(name);
    for (const message of queue.messages.splice(0)) this.#release(message);
    queue.end.abort(new GatewayError('client_closed'));
  }

  /** What waits is lost. */
  close(): void {
    for (const name of this.#queues.keys()) this.end(name);
  }

  #isFull({ messages }: Queue, { owner, size }: PushMessage): boolean {
    const { perQueue, inAll, characters, perOwner, ownerCharacters } = this.#limits;
    const share = this.#shares.get(owner);
    return (
      messages.length >= perQueue ||
      this.#waiting.messages >= inAll ||
      this.#waiting.characters + size > characters ||
      (share?.messages ?? 0) >= perOwner ||
      (share?.characters ?? 0) + size > ownerCharacters
    );
  }

  async #work(name: string, { messages, end }: Queue): Promise<void> {
    for (let message = messages[0]; message !== undefined; message = messages[0]) {
      await this.#deliver(message, end.signal);
      if (end.signal.aborted) return;
      messages.shift();
      this.#release(message);
    }
    this.#queues.delete(name);
  }

  async #deliver(message: PushMessage, signal: AbortSignal): Promise<void> {
    const { log } = this.#parts;
    let request: UpstreamRequest | undefined;
    for (let tries = 1; ; tries += 1) {
      let failed: Failed | undefined;
      try {
        request ??= await message.make();
        failed = await this.#send(request, signal);
      } catch (error) {
        const { message: text, detail, retryable } = GatewayError.from(error);
        failed = { reason: this.#parts.redact(detail ?? text), retryable };
      }
      if (failed === undefined || signal.aborted) return;
      const waitMs = WAITS_MS[tries - 1];
      if (waitMs === undefined || !failed.retryable) {
        log.warn({ agent: message.agent, tries, reason: failed.reason }, 'a push notification could not be delivered and is given up');
        return;
      }
      await pause(Math.min(LONGEST_WAIT_MS, Math.max(failed.restMs ?? 0, waitMs * (0.5 + Math.random()))), signal);
      if (signal.aborted) return;
    }
  }

  async #send(request: UpstreamRequest, signal: AbortSignal): Promise<Failed | undefined> {
    const { status, headers } = await this.#parts.http.send(request, { signal });
    if (status >= 200 && status < 300) return undefined;
    const restMs = retryAfterMs(headers['retry-after'], this.#parts.now());
    return {
      reason: `the webhook answered with status ${status}`,
      retryable: status >= 500 || RETRIED.has(status),
      ...(restMs !== undefined && { restMs }),
    };
  }

  #drop(message: PushMessage): void {
    this.#release(message);
    this.#noteDropped(message);
  }

  #noteDropped({ agent }: PushMessage): void {
    this.#dropped += 1;
    this.#parts.log.warn({ agent, dropped: this.#dropped }, 'too many push notifications wait: one is dropped');
  }

  #release({ owner, size }: PushMessage): void {
    const share = this.#shares.get(owner)!;
    for (const one of [this.#waiting, share]) grow(one, -1, -size);
    if (share.messages === 0) this.#shares.delete(owner);
  }
}

interface Share {
  messages: number;
  characters: number;
}

function grow(share: Share, messages: number, characters: number): void {
  share.messages += messages;
  share.characters += characters;
}

interface Failed {
  readonly reason: string;
  readonly retryable: boolean;
  /** What the receiver asked for. */
  readonly restMs?: number;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms).unref();
    signal.addEventListener('abort', done);
  });
}
