import { below } from '../../config/reading/yaml-file.ts';
import { splitSecrets, validateEntry } from '../../config/validate.ts';
import type { ResourceEntry, StoredResource } from '../../core/contracts/store.ts';
import type { AdminHub } from '../hub.ts';
import { nameFault, ONE_NAMESPACE, type EntryKind } from '../kinds.ts';
import { fieldError, Refusal, type FieldError } from '../problem.ts';
import type { AdminContext, RouteRequest } from '../route.ts';

type Loose = Readonly<Record<string, unknown>>;
type Conditional = Pick<RouteRequest, 'headers'>;

/** Creates or replaces an entry of the store and waits until it serves. Returns 201 for a new one, else 200. */
export async function putEntry(
  kind: EntryKind,
  name: string,
  { headers, body }: RouteRequest,
  { hub, writes }: AdminContext,
): Promise<200 | 201> {
  checkWritable(hub, kind, name);
  const document = await newDocument(hub, name, body as Loose);
  return writes.run(async () => {
    checkWritable(hub, kind, name);
    const before = await findStored(hub, kind.kind, name);
    checkMatch(headers, before);
    const entry = await readEntry(hub, kind.kind, body as Loose, document, before);
    return { value: before === undefined ? 201 : 200, undo: await store(hub, kind.kind, name, entry, before) };
  });
}

/** Deletes an entry of the store and waits until it serves no longer. */
export async function deleteEntry(kind: EntryKind, name: string, { headers }: Conditional, { hub, writes }: AdminContext): Promise<void> {
  await writes.run(async () => {
    const before = await findStored(hub, kind.kind, name);
    if (before === undefined) throw notStored(hub, kind, name);
    checkMatch(headers, before);
    const restore = await wayBack(hub, kind.kind, name, before);
    await hub.store.resources.delete(kind.kind, name, { ifRevision: before.revision });
    const isInFile = hub.entries(kind.kind).some((entry) => entry.name === name && entry.origin === 'file');
    const restoreKeys = kind.kind === 'consumers' && !isInFile ? await deleteKeys(hub, name) : undefined;
    const undo = async (): Promise<void> => {
      await restore();
      await restoreKeys?.();
    };
    return { value: undefined, undo };
  }, 'conflict');
}

/** Without this the next consumer of that name would be called by them. Gives the way back, on which the keys get new ids. */
async function deleteKeys(hub: AdminHub, consumer: string): Promise<() => Promise<void>> {
  const { keys } = hub.store;
  const found = (await keys.all()).filter((key) => key.consumer === consumer);
  for (const { id } of found) await keys.delete(consumer, id);
  await hub.refreshKeys();
  return async () => {
    for (const { id: _, createdAt: __, ...key } of found) await keys.create(key);
    await hub.refreshKeys();
  };
}

/** Puts an entry into the store; gives the way back. */
export async function store(
  hub: AdminHub,
  kind: string,
  name: string,
  entry: ResourceEntry,
  before: StoredResource | undefined,
): Promise<() => Promise<void>> {
  for (const secret of entry.secrets?.values() ?? []) hub.addSecret(secret);
  const undo = await wayBack(hub, kind, name, before);
  await hub.store.resources.put(kind, name, entry, before === undefined ? {} : { ifRevision: before.revision });
  return undo;
}

export async function findStored(hub: AdminHub, kind: string, name: string): Promise<StoredResource | undefined> {
  return (await hub.store.resources.all()).find((resource) => resource.kind === kind && resource.name === name);
}

/** Throws Refusal when an entry of that name cannot be put into the store. */
export function checkWritable(hub: AdminHub, kind: EntryKind, name: string): void {
  const kinds = ONE_NAMESPACE.includes(kind.kind) ? ONE_NAMESPACE : [kind.kind];
  for (const other of kinds) {
    const found = hub.entries(other).find((entry) => entry.name === name);
    if (found === undefined || (other === kind.kind && found.origin === 'store')) continue;
    const why =
      other === kind.kind
        ? `The ${kind.noun} "${name}" stands in a file of the configuration. Change it there.`
        : `The name "${name}" is taken by an entry of ${other}. Choose another.`;
    throw new Refusal('conflict', why);
  }
  if (kind.schema === undefined)
    throw new Refusal(
      'not_implemented',
      `This release serves no ${kind.kind} that are made here. They can stand in hubgate.yaml, where they wait for the lane that serves them.`,
    );
  const fault = nameFault(kind, name);
  if (fault !== undefined)
    throw new Refusal('bad_request', `A ${kind.noun} cannot have this name.`, { errors: [{ path: '', message: fault }] });
}

async function wayBack({ store }: AdminHub, kind: string, name: string, before: StoredResource | undefined): Promise<() => Promise<void>> {
  if (before === undefined) return async () => void (await store.resources.delete(kind, name));
  const { config, secrets, documentHash } = before;
  const document = documentHash === undefined ? undefined : await store.resources.document(kind, name);
  return async () => void (await store.resources.put(kind, name, { config, secrets, ...(document === undefined ? {} : { document }) }));
}

function notStored(hub: AdminHub, kind: EntryKind, name: string): Refusal {
  const inFile = hub.entries(kind.kind).some((entry) => entry.name === name);
  return inFile
    ? new Refusal('conflict', `The ${kind.noun} "${name}" stands in a file of the configuration. Remove it there.`)
    : new Refusal('not_found', `There is no ${kind.noun} of that name.`);
}

/** RFC 9110, 13.1.1. */
function checkMatch(headers: RouteRequest['headers'], before: StoredResource | undefined): void {
  const wanted = headers['if-match'];
  if (wanted === undefined) return;
  const tags = wanted.split(',').map((tag) => tag.trim());
  if (before !== undefined && (tags.includes('*') || tags.includes(`"${before.revision}"`))) return;
  throw new Refusal(
    'precondition_failed',
    before === undefined ? 'There is nothing under this name that could have that revision.' : undefined,
  );
}

/** The OpenAPI document that a body brings, as text. Throws Refusal when it is none. */
async function newDocument(hub: AdminHub, name: string, body: Loose): Promise<string | undefined> {
  if (!Object.hasOwn(body, 'document') || isKept(body['document'])) return undefined;
  const text = documentText(body['document']);
  const { ok, report } = await hub.examine({ name, document: text });
  if (!ok) throw refusedDocument(report, '/document');
  return text;
}

/** How the base64 text of a zip archive begins. */
const ZIP = /^UEsDB[A-Za-z0-9+/=\s]+$/;

/** A document as it came: text, the JSON itself, or a zip archive as a data URL or in base64. Throws Refusal. */
export function documentText(document: unknown): string {
  if (typeof document === 'string') return ZIP.test(document) ? `data:application/zip;base64,${document}` : document;
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) return JSON.stringify(document);
  throw new Refusal('bad_request', 'The document is not one.', {
    errors: [{ path: '/document', message: 'Send the OpenAPI document as a JSON object, as text, or as a zip archive in base64.' }],
  });
}

/** The answer to a document that cannot be served, with its report. */
export function refusedDocument(report: object, path: string): Refusal {
  const { error } = report as { error?: { message?: string; line?: number } };
  const place = error?.line === undefined ? '' : ` (line ${error.line})`;
  const errors = [{ path, message: `${error?.message ?? 'It cannot be read.'}${place}` }];
  return new Refusal('bad_request', 'The OpenAPI document cannot be served.', { errors, members: report });
}

/** The body as the store takes it. Throws Refusal with all that is wrong with it. */
async function readEntry(
  hub: AdminHub,
  kind: string,
  body: Loose,
  document: string | undefined,
  before: StoredResource | undefined,
): Promise<ResourceEntry> {
  const keepsDocument = kind === 'services' && isKept(body['document']) && before?.documentHash !== undefined;
  const lost = new Set<string>();
  const isMoved = before !== undefined && goesElsewhere(kind, before.config as Loose, body, document !== undefined);
  const kept = before === undefined || isMoved ? new Map<string, string>() : before.secrets;
  const whole = withStored(keepsDocument ? { ...body, document: '' } : body, '', kept, lost) as Loose;
  const errors = validateEntry(kind, whole).map((problem) => explainLost(fieldError(problem), lost, isMoved ? MOVED : NOTHING_KEPT));
  if (kind === 'services' && lost.has('/document')) errors.push({ path: '/document', message: NOTHING_KEPT });
  if (errors.length > 0) throw new Refusal('bad_request', 'The entry is not right.', { errors });
  const { config, secrets } = splitSecrets(kind, whole);
  const { document: _, ...rest } = config as Loose;
  const text = keepsDocument ? await hub.store.resources.document(kind, before.name) : document;
  return { config: kind === 'services' ? rest : config, secrets, ...(text === undefined ? {} : { document: text }) };
}

const NOTHING_KEPT = 'Nothing is stored here that could be kept. Send the value.';

const MOVED = 'The entry goes to another address now, and a stored secret is for the old one. Send the value.';

/**
 * Whether what was stored before was for another address. Who may write an entry may not therefore read its secrets, so they are not sent to
 * where the writer says.
 */
function goesElsewhere(kind: string, before: Loose, now: Loose, hasNewDocument: boolean): boolean {
  // Without a base URL the document says where the service is.
  if (hasNewDocument && now['baseUrl'] === undefined) return true;
  const keys = kind === 'providers' ? PROVIDER_ADDRESSES : ADDRESSES;
  return JSON.stringify(addressesOf(before, keys)) !== JSON.stringify(addressesOf(now, keys));
}

const ADDRESSES: ReadonlySet<string> = new Set(['url', 'spec', 'baseUrl', 'tokenUrl', 'command', 'card', 'preset']);
/** A vendor's own address is known by its type, and in part by the region; what `options` say is known to an extension only. */
const PROVIDER_ADDRESSES: ReadonlySet<string> = new Set([...ADDRESSES, 'type', 'region', 'options']);

/** Every address in an entry with its place, in the order of the places. */
function addressesOf(value: unknown, keys: ReadonlySet<string>, pointer = ''): [string, string][] {
  if (typeof value !== 'object' || value === null) return [];
  const found = Object.entries(value).flatMap(([key, item]): [string, string][] =>
    keys.has(key) ? [[below(pointer, key), JSON.stringify(item)]] : addressesOf(item, keys, below(pointer, key)),
  );
  return found.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function explainLost(error: FieldError, lost: ReadonlySet<string>, why: string): FieldError {
  const place = [...lost].find((pointer) => error.path === pointer || error.path.startsWith(`${pointer}/`));
  return place === undefined ? error : { path: place, message: why };
}

/** A copy with the stored secret in every place that says `{ set: true }`; places that have none are added to `lost`. */
function withStored(value: unknown, pointer: string, secrets: ReadonlyMap<string, string>, lost: Set<string>): unknown {
  if (pointer === '/document' && !isKept(value)) return value;
  if (isKept(value)) {
    const stored = secrets.get(pointer);
    if (stored === undefined) lost.add(pointer);
    return stored ?? value;
  }
  if (Array.isArray(value)) return value.map((item, index) => withStored(item, below(pointer, index), secrets, lost));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withStored(item, below(pointer, key), secrets, lost)]));
}

function isKept(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 1 && (value as { set?: unknown }).set === true;
}
