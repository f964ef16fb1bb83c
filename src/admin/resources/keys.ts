import { Type } from 'typebox';
import { createKey, pepperedDigest } from '../../access/keys.ts';
import { shape, text } from '../../config/schema/parts.ts';
import type { KeyRecord } from '../../core/contracts/store.ts';
import { plainSchema } from '../plain-schema.ts';
import type { AdminHub } from '../hub.ts';
import { Refusal } from '../problem.ts';
import type { AdminRoute } from '../route.ts';

const NewKey = shape({
  label: Type.Optional(text('What the key is for.', { maxLength: 200 })),
  expiresAt: Type.Optional(text('The time from which the key is no longer taken, such as 2027-01-31T00:00:00Z.', { format: 'instant' })),
});

const SHOWN = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    label: { type: 'string' },
    createdAt: { type: 'string', description: 'ISO 8601.' },
    expiresAt: { type: 'string', description: 'ISO 8601.' },
  },
  required: ['id', 'createdAt'],
};

const params = { name: 'The name of the consumer.' };

/** Keys that the hub makes for consumers, those of files included. They live in the store. */
export const keyRoutes: readonly AdminRoute[] = [
  {
    method: 'POST',
    path: '/consumers/{name}/keys',
    operationId: 'createConsumerKey',
    tag: 'consumers',
    summary: 'Make a key for a consumer',
    description: 'The key is in this answer only: the hub keeps a digest that it can be checked with, not the key.',
    params,
    body: { schema: plainSchema(NewKey), checked: NewKey, optional: true },
    answers: {
      201: {
        description: 'The new key.',
        schema: {
          type: 'object',
          properties: { id: { type: 'string' }, key: { type: 'string', description: 'Shown once.' } },
          required: ['id', 'key'],
        },
      },
    },
    async handle({ params, body }, { hub, writes }) {
      consumerOf(hub, params);
      const { label, expiresAt } = (body ?? {}) as { label?: string; expiresAt?: string };
      const expires = expiresAt === undefined ? undefined : Date.parse(expiresAt);
      if (expires !== undefined && expires <= Date.now()) {
        throw new Refusal('bad_request', 'The key would be of no use.', {
          errors: [{ path: '/expiresAt', message: 'This time is past.' }],
        });
      }
      const key = createKey();
      hub.addSecret(key);
      const { keys } = hub.store;
      // A consumer that is being deleted gets none that would outlive it.
      const { id } = await writes.between(() =>
        keys.create({
          consumer: consumerOf(hub, params),
          digest: pepperedDigest(key, hub.store.pepper()),
          ...(label === undefined ? {} : { label }),
          ...(expires === undefined ? {} : { expiresAt: expires }),
        }),
      );
      await hub.refreshKeys();
      return { status: 201, body: { id, key } };
    },
  },
  {
    method: 'GET',
    path: '/consumers/{name}/keys',
    operationId: 'listConsumerKeys',
    tag: 'consumers',
    summary: 'List the keys that the hub made for a consumer',
    description: 'Without the keys themselves. Keys that stand in files are in the configuration of the consumer.',
    params,
    answers: {
      200: {
        description: 'The keys, oldest first.',
        schema: { type: 'object', properties: { items: { type: 'array', items: SHOWN } }, required: ['items'] },
      },
    },
    async handle({ params }, { hub }) {
      return { status: 200, body: { items: (await hub.store.keys.list(consumerOf(hub, params))).map(shown) } };
    },
  },
  {
    method: 'DELETE',
    path: '/consumers/{name}/keys/{id}',
    operationId: 'deleteConsumerKey',
    tag: 'consumers',
    summary: 'Delete a key of a consumer',
    description: 'From then on it is no longer taken.',
    params: { ...params, id: 'The id of the key, as the list shows it.' },
    answers: { 204: { description: 'Deleted.' } },
    async handle({ params }, { hub }) {
      const consumer = consumerOf(hub, params);
      if (!(await hub.store.keys.delete(consumer, params.get('id') as string)))
        throw new Refusal('not_found', 'This consumer has no key of that id.');
      await hub.refreshKeys();
      return { status: 204 };
    },
  },
];

function consumerOf(hub: AdminHub, params: ReadonlyMap<string, string>): string {
  const name = params.get('name') as string;
  if (!hub.entries('consumers').some((entry) => entry.name === name))
    throw new Refusal(
      'not_found',
      `There is no consumer "${name}". Add it to consumers in hubgate.yaml, or by PUT /admin/v1/consumers/NAME.`,
    );
  return name;
}

function shown({ id, label, createdAt, expiresAt }: KeyRecord): object {
  return {
    id,
    ...(label === undefined ? {} : { label }),
    createdAt: new Date(createdAt).toISOString(),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
  };
}
