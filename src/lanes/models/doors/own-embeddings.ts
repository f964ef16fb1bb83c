import { randomUUID } from 'node:crypto';
import type { Consumer } from '../../../core/consumer.ts';
import { GatewayError } from '../../../core/errors.ts';
import { isObject } from '../../../core/json.ts';
import { run } from '../../../pipeline/run.ts';
import { DOORS } from '../calls/door.ts';
import { modelReplies } from '../calls/replies.ts';
import type { ModelsHost } from '../host.ts';
import { admit, readRequest } from './admit.ts';
import { apiOf, carryOut, type EnterGeneration } from './endpoint.ts';

/** Who calls when the hub itself does. No configuration can name a consumer with a colon, so nobody can pass for it or use up what it may. */
const OWN_CONSUMER: Consumer = Object.freeze({ name: 'hub:embedding', groups: Object.freeze([]), anonymous: false });

export interface OwnEmbeddings {
  /** As the vendor names the model that answered. */
  readonly model: string;
  /** In the order of the texts. */
  readonly vectors: readonly (readonly number[])[];
}

/** Embeds texts for the hub itself through the route that takes the model: under its policies, with its targets, and on record like any other call. `signal` cancels it. */
export async function ownEmbeddings(
  model: string,
  texts: readonly string[],
  enter: EnterGeneration,
  host: ModelsHost,
  signal?: AbortSignal,
): Promise<OwnEmbeddings> {
  signal?.throwIfAborted();
  const { models, leave } = enter();
  let stop: (() => void) | undefined;
  try {
    const door = DOORS.find(({ operation }) => operation === 'embeddings')!;
    const bytes = Buffer.from(JSON.stringify({ model, input: texts }));
    const asker = { id: randomUUID(), consumer: OWN_CONSUMER, startedAt: Date.now(), req: { headers: {}, socket: {} } };
    const { arrival, call } = admit(readRequest(asker, door, bytes), apiOf(models, undefined, OWN_CONSUMER), host);
    stop = () => call.cancellation.abort(new GatewayError('client_closed'));
    signal?.addEventListener('abort', stop);
    const handled = await run(call, arrival.route.chain, modelReplies(call, arrival), () => carryOut(call, arrival));
    if ('stream' in handled) throw new GatewayError('upstream_failed');
    return vectorsOf(handled.reply.body, model, texts.length);
  } finally {
    if (stop !== undefined) signal?.removeEventListener('abort', stop);
    leave();
  }
}

function vectorsOf({ data, model: served }: Readonly<Record<string, unknown>>, model: string, count: number): OwnEmbeddings {
  const vectors: (readonly number[])[] = [];
  for (const item of Array.isArray(data) ? data.filter(isObject) : []) {
    const { index, embedding } = item;
    if (Number.isInteger(index) && Array.isArray(embedding) && embedding.every(Number.isFinite))
      vectors[index as number] = embedding as number[];
  }
  if (vectors.length !== count || Object.keys(vectors).length !== count)
    throw new GatewayError('upstream_failed', `The route of ${model} gave no vector for each text.`);
  return { model: typeof served === 'string' ? served : model, vectors };
}
