import type { Chunk, Reply } from '../core/call.ts';
import type { Awaitable } from '../core/contracts/extension.ts';
import type { PolicyHooks } from '../core/contracts/policy.ts';
import type { State } from '../core/contracts/state.ts';
import { readEntry, writeEntry } from './_cache-entry.ts';
import { Flights } from './_cache-flights.ts';
import { cacheKey, type CachedCall, type CachedLane } from './_cache-key.ts';
import type { KeepingSettings } from './_cache-settings.ts';
import { cacheWish } from './_cache-wish.ts';

type Answer = Awaitable<Reply<CachedLane> | undefined>;

/** Where an answer to a call can come from that no equal one has got. */
export interface OtherAnswers {
  /** The keys of answers that would do, best first, each with how near its question was. Never rejects. */
  find(call: CachedCall): Promise<readonly { readonly key: string; readonly near: string }[]>;
  /** The answer to the call is kept under the key. */
  kept(call: CachedCall, key: string): void;
  /** What `find` has given is not there any more. */
  gone(call: CachedCall, key: string): void;
}

export interface CacheParts extends KeepingSettings {
  /** Calls that the cache has to do with. */
  readonly concerns: (call: CachedCall) => boolean;
  readonly state: Pick<State, 'get' | 'set'>;
  readonly others?: OtherAnswers;
}

/** What policies that keep answers have in common: equal calls get the answer that is there, join the one that is on its way, or leave theirs. */
export function cacheHooks(parts: CacheParts): PolicyHooks<CachedLane> {
  const { ttlMs, scope, maxBytes, concerns, state, others } = parts;
  const flights = new Flights();
  /** Of calls on their way that the cache has to do with. */
  const keys = new WeakMap<CachedCall, string>();
  const { lead, follow, answer } = answering(parts, flights, keys);

  const keep = (call: CachedCall, key: string, reply: Reply<CachedLane>): void => {
    const text = writeEntry(call, reply);
    if (text === undefined) return flights.scatter(key, call);
    if (Buffer.byteLength(text) <= maxBytes) {
      state.set(key, text, ttlMs);
      others?.kept(call, key);
    }
    flights.land(key, reply);
  };

  return {
    onCall(call) {
      if (!concerns(call)) return undefined;
      const wish = cacheWish(call.request.headers);
      const key = wish === 'bypass' ? undefined : cacheKey(call, scope);
      if (key === undefined) return call.note('cached', 'bypass');
      keys.set(call, key);
      if (wish === 'refresh') return lead(call, 'refresh');
      if (flights.has(key)) return follow(call, key);
      const text = state.get(key);
      return text instanceof Promise ? text.then((late) => answer(call, key, late)) : answer(call, key, text);
    },
    onReply(call, reply) {
      const key = keys.get(call);
      if (key !== undefined) keep(call, key, reply);
    },
    onStream(call, chunks) {
      const key = keys.get(call);
      return key === undefined ? chunks : watched(chunks, (reply) => keep(call, key, reply));
    },
    onEnd(call) {
      const key = keys.get(call);
      if (key === undefined) return;
      keys.delete(call);
      flights.leave(key, call);
    },
  };
}

/** The ways to an answer: with the text that was under the key, by joining an equal call, or by being the first. */
function answering({ scope, state, others }: CacheParts, flights: Flights, keys: WeakMap<CachedCall, string>) {
  const lead = (call: CachedCall, how: 'miss' | 'refresh'): undefined => {
    call.note('cached', how);
    // Two readers may read the bytes of a body differently: what others get must answer what the hub has read. A new body is written from that.
    if (scope !== 'consumer' && call.lane === 'models') call.input = { ...call.input, body: { ...call.input.body } };
  };

  const follow = (call: CachedCall, key: string): Answer => {
    // One that was late, and ended meanwhile, would lead for ever.
    if (!keys.has(call)) return undefined;
    const joined = flights.join(key, call);
    if (joined === undefined) return lead(call, 'miss');
    return joined.then((reply) => {
      if (reply === undefined) return lead(call, 'miss');
      call.note('cached', 'joined');
      return reply;
    });
  };

  const search = async (call: CachedCall, key: string, from: OtherAnswers): Promise<Reply<CachedLane> | undefined> => {
    for (const { key: other, near } of await from.find(call)) {
      const text = await state.get(other);
      const reply = text === undefined ? undefined : readEntry(call, text);
      if (reply !== undefined) {
        call.note('cached', `hit ${near}`);
        return reply;
      }
      from.gone(call, other);
    }
    return follow(call, key);
  };

  const answer = (call: CachedCall, key: string, text: string | undefined): Answer => {
    const reply = text === undefined ? undefined : readEntry(call, text);
    if (reply === undefined) return others === undefined ? follow(call, key) : search(call, key, others);
    call.note('cached', 'hit');
    return reply;
  };

  return { lead, follow, answer };
}

/** Passes the chunks on as they come, and gives `keep` the reply that they complete. The answer to a tool that has asked its caller is nobody else's. */
async function* watched(
  chunks: AsyncIterable<Chunk<CachedLane>>,
  keep: (reply: Reply<CachedLane>) => void,
): AsyncGenerator<Chunk<CachedLane>> {
  let asked = false;
  for await (const chunk of chunks) {
    if ('type' in chunk && chunk.type === 'request') asked = true;
    const reply = 'type' in chunk ? (chunk.type === 'result' ? chunk.result : undefined) : chunk.reply;
    if (reply !== undefined && !asked) keep(reply);
    yield chunk;
  }
}
