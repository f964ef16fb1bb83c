import { readFile, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { zipSync, type Zippable } from 'fflate';
import { serviceName } from '../config/reading/documents.ts';
import { readRelatedFiles } from '../config/reading/related-files.ts';
import { nameFromTitle } from '../config/service-name.ts';
import { archiveText, decodeText } from '../core/decode-text.ts';
import { GatewayError } from '../core/errors.ts';
import { diffServices, summaryOf, type ServiceChanges } from '../lanes/tools/openapi/changes/diff.ts';
import { DOCUMENT_LIMITS, DocumentError } from '../lanes/tools/openapi/types.ts';
import type {
  CompiledService,
  CompileInput,
  CompileProgress,
  DocumentFault,
  DocumentFolder,
  OverlayText,
} from '../lanes/tools/openapi/types.ts';
import { needsOf, type Needs } from '../lanes/tools/needs.ts';
import { examineDocument, operationReports, refusalReport, type ImportReport, type OperationReport } from '../lanes/tools/report.ts';
import { createEgress } from '../upstreams/egress.ts';
import { createHttp } from '../upstreams/http.ts';
import { findServed, type ServedDocument } from './served-document.ts';

/** A document that was named on the command line, and what it would become. */
export interface ImportedDocument {
  readonly report: ImportReport;
  /** Every operation; none when the document is refused. */
  readonly operations: readonly OperationReport[];
  /** What it changes about the document that is served under its name; absent when there is none. */
  readonly changes?: ServiceChanges & { readonly summary: string };
  /** What it leaves to the configuration; absent when the document is refused. */
  readonly needs?: Needs;
  /** The text of the overlay that was named with it. */
  readonly overlay?: string;
  /** The name that the service would have; empty when none can be made. */
  readonly name: string;
  /** Absent when it could not be read, and for an archive. */
  readonly text?: string;
  /** The files beside a local document that it refers to. */
  readonly folder?: DocumentFolder;
  /** Where it was found, after redirects; absent for a file. */
  readonly url?: string;
  /** A zip archive, as it came. */
  readonly archive?: Uint8Array;
}

/** Stands in until the title is read; as long as a name may be. */
const UNNAMED = 'unnamed-service-document';

export interface ImportDocumentOptions {
  readonly name?: string;
  /** Path of an overlay to apply, in place of those that lie in `specFolder` for the service. */
  readonly overlay?: string;
  /** Absolute path of openapi-specs/: what it has under the name is what the document is compared with, and its overlays apply. */
  readonly specFolder?: string;
  readonly onProgress?: (progress: ImportProgress) => void;
}

/** How far an import is: its bytes are read, or so many operations are compiled. */
export type ImportProgress = { readonly bytes: number } | CompileProgress;

/** Reads a file, a zip archive or a URL and compiles it; needs no hub and no configuration. What is wrong with it is in the report. */
export async function importDocument(target: string, options: ImportDocumentOptions = {}): Promise<ImportedDocument> {
  let found: Found;
  let overlay: OverlayText | undefined;
  try {
    found = await read(target);
  } catch (error) {
    const { code, message } = error instanceof GatewayError ? error : unreadable(target, error as NodeJS.ErrnoException);
    return refused(options.name ?? '', target, { code, message });
  }
  if (options.overlay !== undefined) {
    const text = await readFile(options.overlay).catch((error: NodeJS.ErrnoException) => unreadable(options.overlay ?? '', error));
    if ('code' in text) return refused(options.name ?? '', target, { ...text, file: options.overlay });
    overlay = { file: options.overlay, text: decodeText(text) };
  }
  const { url } = found;
  options.onProgress?.({ bytes: found.text?.length ?? found.archive?.length ?? 0 });
  const importing = new Importing(target, found, overlay, options);
  const named = (title: string): string => nameFromTitle(title) || (url === undefined ? '' : nameFromTitle(new URL(url).hostname));
  const title = overlay === undefined ? titleOf(found) : undefined;
  const known = options.name ?? ((url === undefined && serviceName(target)) || (title === undefined ? '' : named(title)));
  const first = await importing.compile(known);
  if (known !== '' || !first.report.ok) return { ...first, name: known };
  const titled = named(first.report.document?.title ?? '');
  return titled === '' ? first : await importing.compile(titled);
}

/** The title of a document in JSON; undefined for one that has to be compiled to tell, such as YAML, which is only read where its time is bounded. */
function titleOf({ text = '' }: Found): string | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  try {
    const { info } = JSON.parse(text) as { readonly info?: { readonly title?: unknown } | null };
    return typeof info?.title === 'string' ? info.title : undefined;
  } catch {
    return undefined;
  }
}

type Found = Pick<ImportedDocument, 'text' | 'folder' | 'url' | 'archive'>;

/** One document on its way in, whose name may only be known when it has been read. */
class Importing {
  readonly #target: string;
  readonly #found: Found;
  readonly #overlay: OverlayText | undefined;
  readonly #options: ImportDocumentOptions;

  constructor(target: string, found: Found, overlay: OverlayText | undefined, options: ImportDocumentOptions) {
    this.#target = target;
    this.#found = found;
    this.#overlay = overlay;
    this.#options = options;
  }

  async compile(name: string): Promise<ImportedDocument> {
    const { url } = this.#found;
    const { specFolder, onProgress } = this.#options;
    const as = `${name}${endingOf(this.#found)}`;
    try {
      const served = name === '' || specFolder === undefined ? { overlays: [] } : await findServed(specFolder, name, as);
      const before = await this.#before(name, served);
      // One that is named takes the place of the repairs; the example requests stay.
      const overlays = this.#overlay === undefined ? served.overlays : [this.#overlay, ...served.overlays.filter(isOfExamples)];
      const isPlaced = this.#overlay === undefined && overlays.length > 0;
      const file = isPlaced ? `openapi-specs/${basename(served.file ?? as)}` : url === undefined ? this.#target : undefined;
      const place = { ...(file !== undefined && { file }), ...(url !== undefined && { url }) };
      const input = { ...contentOf(this.#found), name: name || UNNAMED, overlays, ...place, ...(before && { names: before.names }) };
      const { report, compiled } = await examineDocument(this.#target, input, onProgress && { onProgress });
      const misplaced = this.#overlay && report.ok ? await this.#misplaced(this.#overlay, input, as) : undefined;
      if (compiled === undefined || misplaced !== undefined)
        return { name, operations: [], report: misplaced === undefined ? report : { ...report, ok: false, error: misplaced } };
      const changes = before && diffServices(before, compiled);
      return {
        ...this.#found,
        ...(this.#overlay && { overlay: this.#overlay.text }),
        name,
        report,
        operations: operationReports(compiled),
        needs: needsOf(compiled),
        ...(changes && { changes: { ...changes, summary: summaryOf(changes) } }),
      };
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      return refused(name, this.#target, error.toFault());
    }
  }

  /** The document that is served under this name now; undefined when that is this one, or when it cannot be read. */
  async #before(name: string, { file, overlays }: ServedDocument): Promise<CompiledService | undefined> {
    if (file === undefined || file === resolve(this.#target)) return undefined;
    const found = await read(file).catch(() => undefined);
    if (found === undefined) return undefined;
    const input = { ...contentOf(found), name, overlays, file: `openapi-specs/${basename(file)}` };
    return (await examineDocument(file, input)).compiled;
  }

  /** An overlay that names its document by a path must name it where both will lie. */
  async #misplaced(overlay: OverlayText, input: CompileInput, as: string): Promise<ImportReport['error']> {
    const isThere = resolve(this.#target, '..') === this.#options.specFolder;
    if (isThere || !/extends/.test(overlay.text)) return undefined;
    const { url: _, ...rest } = input;
    const overlays = [{ file: `openapi-specs/${input.name}.overlay.yaml`, text: overlay.text }];
    return (await examineDocument(this.#target, { ...rest, file: `openapi-specs/${as}`, overlays })).report.error;
  }
}

function isOfExamples({ file }: OverlayText): boolean {
  return /\.examples\.overlay\.\w+$/i.test(file);
}

function refused(name: string, file: string, error: DocumentFault): ImportedDocument {
  return { name, operations: [], report: refusalReport(file, error) };
}

/** What is compiled of a document. */
function contentOf({ text, archive, folder }: Found): Pick<CompileInput, 'text' | 'folder'> {
  return { text: text ?? archiveText(archive ?? new Uint8Array()), ...(folder && { folder }) };
}

/** The content to keep of a document that could be read: as it came, or its files packed together when there are several. */
export function contentToKeep({ text = '', archive, folder }: ImportedDocument): Uint8Array {
  if (archive !== undefined) return archive;
  if (folder === undefined || folder.files.size === 0) return Buffer.from(text);
  const packed: Zippable = { [folder.entry]: [Buffer.from(text), { comment: 'openapi' }] };
  for (const [name, content] of folder.files) packed[name] = Buffer.from(content);
  // Times in the archive would make another one of the same files.
  return zipSync(packed, { mtime: new Date(1980, 0, 1), level: 6 });
}

/** The ending of the file that a document is kept in. */
export function endingOf({ text = '', archive, folder }: Found): string {
  if (archive !== undefined || (folder?.files.size ?? 0) > 0) return '.zip';
  return /^\s*\{/.test(text) ? '.json' : '.yaml';
}

async function read(target: string): Promise<Found> {
  if (!/^https?:\/\//i.test(target)) return readLocal(target);
  // Typed by the operator, so it may be any address, as if it stood in hubgate.yaml.
  const egress = createEgress({ allow: [], ownPorts: [] });
  const http = createHttp({ egress: () => egress });
  try {
    const { body, url } = await http.fetchDocument(target, { trust: 'operator' });
    return isZip(body) ? { archive: body, url } : { text: decodeText(body), url };
  } finally {
    await http.close();
  }
}

async function readLocal(file: string): Promise<Found> {
  const { size } = await stat(file);
  if (size > DOCUMENT_LIMITS.bytes)
    throw new GatewayError('bad_request', `The file is larger than ${Math.floor(DOCUMENT_LIMITS.bytes / 1024 / 1024)} MB.`);
  const bytes = await readFile(file);
  if (isZip(bytes)) return { archive: bytes };
  const text = decodeText(bytes);
  const { files, unread } = await readRelatedFiles(file, text, DOCUMENT_LIMITS.bytes);
  return { text, folder: { entry: basename(file), files, unread } };
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

function unreadable(target: string, { code, message }: NodeJS.ErrnoException): { code: string; message: string } {
  const reasons = new Map([
    ['ENOENT', 'There is no such file.'],
    ['EISDIR', 'This is a folder. Name the files in it.'],
    ['EACCES', 'The file may not be read. Check its permissions.'],
  ]);
  return { code: 'unreadable', message: reasons.get(code ?? '') ?? `${target} cannot be read: ${message}` };
}
