import type { StoredResource } from '../../core/contracts/store.ts';
import type { Problem } from '../../core/contracts/resource.ts';
import type { AdminHub, ConfiguredEntry } from '../hub.ts';
import { KINDS, type EntryKind } from '../kinds.ts';
import { Refusal } from '../problem.ts';
import type { AdminAnswer, AdminRoute } from '../route.ts';
import { deleteEntry, putEntry } from './entry-writes.ts';

/** An entry as the API shows it. */
export interface EntryAnswer {
  readonly name: string;
  readonly origin: 'file' | 'store';
  readonly revision: string;
  readonly config: unknown;
  readonly state: { readonly ok: boolean; readonly problems: readonly Problem[] };
}

const STATE = {
  type: 'object',
  description: 'What is wrong with the entry in the configuration that serves.',
  properties: {
    ok: { type: 'boolean' },
    problems: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          code: { type: 'string' },
          message: { type: 'string' },
          severity: { type: 'string', enum: ['error', 'warning'] },
          file: { type: 'string' },
          line: { type: 'integer' },
          column: { type: 'integer' },
          pointer: { type: 'string', description: 'JSON pointer.' },
        },
        required: ['code', 'message'],
      },
    },
  },
  required: ['ok', 'problems'],
};

function entrySchema(kind: EntryKind): object {
  return {
    type: 'object',
    properties: {
      name: { type: 'string' },
      origin: { type: 'string', enum: ['file', 'store'], description: 'Entries of files are changed in the files only.' },
      revision: { type: 'string', description: 'For If-Match.' },
      config: { type: 'object', description: `The ${kind.noun} as a file would hold it, {"set": true} in place of secrets.` },
      state: STATE,
    },
    required: ['name', 'origin', 'revision', 'config', 'state'],
  };
}

/** Reads entries of every kind, writes those that this release serves from the store. */
export const entryRoutes: readonly AdminRoute[] = KINDS.flatMap((kind) => [...readRoutes(kind), ...writeRoutes(kind)]);

function readRoutes(kind: EntryKind): AdminRoute[] {
  const { noun, word, plural } = kind;
  return [
    {
      method: 'GET',
      path: `/${kind.kind}`,
      operationId: `list${plural}`,
      tag: kind.kind,
      summary: `List all entries of ${kind.kind}`,
      description: `${kind.about} Entries of files and of the store together, each with its state.`,
      answers: {
        200: {
          description: 'All entries.',
          schema: { type: 'object', properties: { items: { type: 'array', items: entrySchema(kind) } }, required: ['items'] },
        },
      },
      async handle(_request, { hub }) {
        const stored = await storedOf(hub, kind.kind);
        return {
          status: 200,
          body: { items: hub.entries(kind.kind).map((entry) => describe(hub, kind.kind, entry, stored.get(entry.name))) },
        };
      },
    },
    {
      method: 'GET',
      path: `/${kind.kind}/{name}`,
      operationId: `get${word}`,
      tag: kind.kind,
      summary: `Get one ${noun}`,
      description: `${kind.about} The answer has its configuration with secrets masked, its state, and its revision, which is the ETag too.`,
      params: { name: `The name of the ${noun}.` },
      answers: { 200: { description: `The ${noun}.`, schema: entrySchema(kind) } },
      handle: ({ params }, { hub }) => showEntry(hub, kind, params.get('name') as string, 200),
    },
  ];
}

function writeRoutes(kind: EntryKind): AdminRoute[] {
  const { noun, word, schema } = kind;
  const shared = {
    path: `/${kind.kind}/{name}`,
    tag: kind.kind,
    params: { name: `The name of the ${noun}.` },
    conditional: true,
    hidden: schema === undefined,
  };
  return [
    {
      ...shared,
      method: 'PUT',
      operationId: `put${word}`,
      summary: `Create or replace one ${noun}`,
      description: `${kind.about} The body is the whole entry, as the file would hold it under that name; secrets are literal and stored encrypted, {"set": true} keeps the stored one while the entry goes to the same addresses. It is answered when the change serves.`,
      body: { schema: schema ?? { type: 'object' }, document: kind.kind === 'services' },
      answers: {
        200: { description: 'Replaced.', schema: entrySchema(kind) },
        201: { description: 'Created.', schema: entrySchema(kind) },
      },
      async handle(request, context) {
        const name = request.params.get('name') as string;
        const status = await putEntry(kind, name, request, context);
        return showEntry(context.hub, kind, name, status);
      },
    },
    {
      ...shared,
      method: 'DELETE',
      operationId: `delete${word}`,
      summary: `Delete one ${noun} of the store`,
      description:
        kind.kind === 'consumers'
          ? 'Its keys that the hub made are deleted too. Entries of files are removed in the files.'
          : 'Entries of files are removed in the files.',
      answers: { 204: { description: 'Deleted.' } },
      async handle(request, context) {
        await deleteEntry(kind, request.params.get('name') as string, request, context);
        return { status: 204 };
      },
    },
  ];
}

async function showEntry(hub: AdminHub, kind: EntryKind, name: string, status: number): Promise<AdminAnswer> {
  const entry = hub.entries(kind.kind).find((one) => one.name === name);
  if (entry === undefined) throw new Refusal('not_found', `There is no ${kind.noun} of that name.`);
  const body = describe(hub, kind.kind, entry, (await storedOf(hub, kind.kind)).get(name));
  return { status, headers: { etag: `"${body.revision}"` }, body };
}

/** What the store has of a kind, by name. */
async function storedOf(hub: AdminHub, kind: string): Promise<Map<string, StoredResource>> {
  const all = await hub.store.resources.all();
  return new Map(all.filter((resource) => resource.kind === kind).map((resource) => [resource.name, resource]));
}

function describe(
  hub: AdminHub,
  kind: string,
  { name, origin, config, revision }: ConfiguredEntry,
  stored: StoredResource | undefined,
): EntryAnswer {
  const problems = hub.problems(kind, name);
  const state = { ok: problems.every((problem) => problem.severity === 'warning'), problems };
  if (origin === 'file' || stored === undefined) return { name, origin, revision, config, state };
  const document = stored.documentHash === undefined ? {} : { document: { set: true } };
  return { name, origin, revision: stored.revision, config: { ...(stored.config as object), ...document }, state };
}
