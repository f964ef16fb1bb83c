import { Type } from 'typebox';
import { flag, shape, text } from '../../config/schema/parts.ts';
import { nameFromTitle } from '../../config/service-name.ts';
import { GatewayError } from '../../core/errors.ts';
import type { AdminHub, ExaminedDocument } from '../hub.ts';
import { KINDS, nameFault, type EntryKind } from '../kinds.ts';
import { plainSchema } from '../plain-schema.ts';
import { Refusal } from '../problem.ts';
import type { AdminContext, AdminRoute } from '../route.ts';
import { checkWritable, documentText, findStored, refusedDocument, store } from './entry-writes.ts';

const SERVICE = KINDS.find(({ kind }) => kind === 'services') as EntryKind;
/** Stands in while the name is not known; as long as a name may be, so that no tool's name is longer than it will be. */
const UNNAMED = 'unnamed-service-document';

const Import = shape({
  url: Type.Optional(
    text('The http: or https: URL of the OpenAPI document. It must lead to a public address, unless egress.allow lists it.', {
      format: 'url',
    }),
  ),
  document: Type.Optional(
    Type.Unknown({
      description:
        'The OpenAPI document itself, as JSON or as text; or, for a document in several files, a zip archive of them as data:application/zip;base64,… text.',
    }),
  ),
  name: Type.Optional(text("The name of the service: a-z, 0-9 and -, at most 24; made from the document's title when absent.")),
  dryRun: Type.Optional(flag('Only reports what would become of the document.')),
});
type Import = { readonly url?: string; readonly document?: unknown; readonly name?: string; readonly dryRun?: boolean };

const REPORT = {
  type: 'object',
  properties: {
    file: { type: 'string' },
    ok: { type: 'boolean' },
    document: { type: 'object', properties: { title: { type: 'string' }, version: { type: 'string' }, openapi: { type: 'string' } } },
    tools: { type: 'array', items: { type: 'object' }, description: 'As tools/list shows them.' },
    warnings: { type: 'array', items: { type: 'object' } },
    leftOut: { type: 'array', items: { type: 'object' }, description: 'Operations that are no tools, and why.' },
    error: { type: 'object', description: 'Why the document is refused.' },
  },
  required: ['file', 'ok', 'tools', 'warnings', 'leftOut'],
};
const SERVICE_REPORT = {
  type: 'object',
  properties: {
    ...REPORT.properties,
    operations: {
      type: 'array',
      items: { type: 'object' },
      description: 'Each operation: method, path, and tool, risk, tokens, shortened, examples, warnings, or leftOut.',
    },
    changes: {
      type: 'object',
      description:
        'What the newest document changed, and when: lists of added, removed and changed operations. Each change has a notice: breaking, visible, or invisible to consumers.',
    },
  },
  required: [...REPORT.required, 'operations'],
};
const params = { name: 'The name of the service.' };

/** OpenAPI documents of services: taking them in, what became of them, reading them again. */
export const documentRoutes: readonly AdminRoute[] = [
  {
    method: 'POST',
    path: '/services/import',
    operationId: 'importService',
    tag: 'services',
    summary: 'Import an OpenAPI document as a service',
    description:
      'Takes the document by url or in the body, and serves it. A service of the store that has this name keeps its settings and gets the new document. With dryRun nothing is stored. Answers with a report: the tools, and each operation that is left out with the reason.',
    body: { schema: plainSchema(Import), checked: Import, document: true },
    answers: {
      200: { description: 'The report of a dry run, or of a service that got a new document.', schema: REPORT },
      201: { description: 'The report of a new service.', schema: REPORT },
    },
    handle: ({ body }, context) => importService(body as Import, context),
  },
  {
    method: 'GET',
    path: '/services/{name}/report',
    operationId: 'getServiceReport',
    tag: 'services',
    summary: "Get the report of a service's document",
    description:
      'Operation by operation: the tool it became, what it costs and what is shortened, its warnings, or why it is left out; and what the newest document changed about the one before it.',
    params,
    answers: { 200: { description: 'The report.', schema: SERVICE_REPORT } },
    handle: async ({ params }, { hub }) => ({ status: 200, body: await hub.report(params.get('name') as string) }),
  },
  {
    method: 'POST',
    path: '/services/{name}/refresh',
    operationId: 'refreshService',
    tag: 'services',
    summary: "Fetch and read a service's document again",
    params,
    answers: { 200: { description: 'The report of the document as it is now.', schema: SERVICE_REPORT } },
    handle: async ({ params }, { hub }) => ({ status: 200, body: await hub.refresh(params.get('name') as string) }),
  },
];

async function importService(body: Import, context: AdminContext): Promise<{ status: number; body: object }> {
  const { hub } = context;
  if ((body.url === undefined) === (body.document === undefined)) {
    throw new Refusal('bad_request', 'There is no document to import.', {
      errors: [{ path: '', message: 'Send exactly one of url and document.' }],
    });
  }
  if (body.name !== undefined) checkName(hub, body.name);
  const { name, examined } = await examineNamed(hub, body);
  if (body.dryRun === true) return { status: 200, body: examined.report };
  if (!examined.ok) throw refusedDocument(examined.report, body.url === undefined ? '/document' : '/url');
  return { status: await keep(name, body.url, examined, context), body: examined.report };
}

/** Examines the document under its name, which may stand in it. */
async function examineNamed(hub: AdminHub, body: Import): Promise<{ name: string; examined: ExaminedDocument }> {
  const source = body.url === undefined ? { document: documentText(body.document) } : { url: body.url };
  const examine = async (name: string): Promise<ExaminedDocument> => {
    try {
      return await hub.examine({ name, ...source });
    } catch (error) {
      if (!(error instanceof GatewayError) || body.url === undefined) throw error;
      throw new Refusal(error.code, error.message, { errors: [{ path: '/url', message: error.message }] });
    }
  };
  if (body.name !== undefined) return { name: body.name, examined: await examine(body.name) };
  const examined = await examine(UNNAMED);
  if (!examined.ok) return { name: '', examined };
  const { document } = examined.report as { document?: { title?: string } };
  const name = nameFromTitle(document?.title ?? '');
  if (name === '')
    throw new Refusal('bad_request', 'No name can be made from the title of the document.', {
      errors: [{ path: '/name', message: 'Send a name.' }],
    });
  if (body.dryRun !== true) checkName(hub, name);
  return { name, examined: await examine(name) };
}

function checkName(hub: AdminHub, name: string): void {
  const fault = nameFault(SERVICE, name);
  if (fault !== undefined)
    throw new Refusal('bad_request', 'A service cannot have this name.', { errors: [{ path: '/name', message: fault }] });
  checkWritable(hub, SERVICE, name);
}

function keep(name: string, url: string | undefined, { text }: ExaminedDocument, { hub, writes }: AdminContext): Promise<200 | 201> {
  return writes.run(async () => {
    checkWritable(hub, SERVICE, name);
    const before = await findStored(hub, SERVICE.kind, name);
    const { url: _, ...settings } = (before?.config ?? {}) as { url?: string };
    const entry = {
      config: url === undefined ? settings : { ...settings, url },
      secrets: before?.secrets ?? new Map<string, string>(),
      ...(url === undefined ? { document: text } : {}),
    };
    return { value: before === undefined ? 201 : 200, undo: await store(hub, SERVICE.kind, name, entry, before) };
  });
}
