import type { Risk, ToolDefinition } from '../../core/tools.ts';
import { compileInWorker, type CompileOptions } from './openapi/import-pool.ts';
import { DocumentError } from './openapi/types.ts';
import type { CompiledOperation, CompiledService, CompileInput, DocumentFault, LeftOut, ReportWarning } from './openapi/types.ts';
import type { DocumentChanges } from './sources/document-changes.ts';
import type { DocumentState } from './sources/service-source.ts';

/** What became of one document: one line of `hubgate import --json` (DESIGN 2.1). */
export interface ImportReport {
  readonly file: string;
  readonly ok: boolean;
  readonly document?: { readonly title: string; readonly version: string; readonly openapi: string };
  readonly tools: readonly ToolDefinition[];
  readonly warnings: readonly ReportWarning[];
  readonly leftOut: readonly LeftOut[];
  readonly error?: Omit<DocumentFault, 'column'>;
}

/** What became of one operation: a tool, or the reason why there is none. */
export interface OperationReport {
  readonly method: string;
  readonly path: string;
  readonly tool?: string;
  readonly risk?: Risk;
  /** What name, description and arguments cost in a list of tools, about. */
  readonly tokens?: number;
  /** What is left out of the tool to keep it small, in words; the resource `hubgate://tools/NAME` has all of it. */
  readonly shortened?: readonly string[];
  /** Requests that it is found by, besides its own words. */
  readonly examples?: readonly string[];
  /** Those that lie in the operation, or in its path for all methods. */
  readonly warnings: readonly ReportWarning[];
  readonly leftOut?: ReportWarning;
}

/** The report of a service that is served: the import report, operation by operation, and what the newest document changed. */
export interface ServiceReport extends ImportReport {
  readonly operations: readonly OperationReport[];
  readonly changes?: DocumentChanges;
}

/** A document that was compiled without being served. */
export interface ExaminedDocument {
  readonly report: ImportReport;
  /** Absent when it was refused. */
  readonly compiled?: CompiledService;
}

function reportOf(file: string, { compiled, error }: Pick<DocumentState, 'compiled' | 'error'>): ImportReport {
  return {
    file,
    ok: compiled !== undefined && error === undefined,
    ...(compiled === undefined ? {} : { document: compiled.document }),
    tools: compiled?.operations.map((operation) => operation.tool.definition) ?? [],
    warnings: compiled?.warnings ?? [],
    leftOut: compiled?.leftOut ?? [],
    ...(error !== undefined && { error: reasonOf(file, error) }),
  };
}

function reasonOf(document: string, fault: DocumentFault): NonNullable<ImportReport['error']> {
  const { column: _, file, ...reason } = fault;
  return { ...reason, ...(file !== undefined && file !== document && { file }) };
}

/** The report of a document that could not even be examined. */
export function refusalReport(file: string, error: DocumentFault): ImportReport {
  return reportOf(file, { compiled: undefined, error });
}

/** The report of a service; waits for what the newest document changed. */
export async function serviceReport(file: string, state: DocumentState): Promise<ServiceReport> {
  const changes = await state.changes;
  const operations = state.compiled === undefined ? [] : operationReports(state.compiled);
  return { ...reportOf(file, state), operations, ...(changes && { changes }) };
}

/** Every operation of a document, those that are left out at the end. */
export function operationReports({ operations, leftOut, warnings }: CompiledService): OperationReport[] {
  const lying = warningsByPlace(warnings);
  return [
    ...operations.map((operation) => reportOperation(operation, lying)),
    ...leftOut.map(({ method, path, pointer, code, message }) => ({
      method,
      path,
      warnings: placed(lying, method, path),
      leftOut: { pointer, code, message },
    })),
  ];
}

function reportOperation({ tool, method, path, whole, tokens }: CompiledOperation, lying: WarningsByPlace): OperationReport {
  return {
    method,
    path,
    tool: tool.definition.name,
    risk: tool.risk,
    tokens,
    ...(whole !== undefined && { shortened: whole.cuts }),
    ...(tool.examples !== undefined && { examples: tool.examples }),
    warnings: placed(lying, method, path),
  };
}

/** By path key, then by method as it stands there, lower case; what lies in no method is under ''. */
type WarningsByPlace = ReadonlyMap<string, ReadonlyMap<string, readonly ReportWarning[]>>;

const METHOD = /^(?:get|put|post|delete|options|head|patch|trace|query)$/;

function warningsByPlace(warnings: readonly ReportWarning[]): WarningsByPlace {
  const paths = new Map<string, Map<string, ReportWarning[]>>();
  for (const warning of warnings) {
    const [root, path, key = '', other = ''] = warning.pointer.split('/').slice(1).map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')); // prettier-ignore
    if (root !== 'paths' || path === undefined) continue;
    const method = key === 'additionalOperations' ? other.toLowerCase() : METHOD.test(key) ? key : '';
    const methods = paths.get(path) ?? new Map<string, ReportWarning[]>();
    const known = methods.get(method);
    if (known === undefined) paths.set(path, methods.set(method, [warning]));
    else known.push(warning);
  }
  return paths;
}

function placed(lying: WarningsByPlace, method: string, path: string): ReportWarning[] {
  const methods = lying.get(path);
  return [...(methods?.get('') ?? []), ...(methods?.get(method.toLowerCase()) ?? [])];
}

/** Compiles a document without serving it. A refused document is a report, not an exception. */
export async function examineDocument(file: string, input: CompileInput, options: CompileOptions = {}): Promise<ExaminedDocument> {
  try {
    const compiled = await compileInWorker(input, options);
    return { compiled, report: reportOf(file, { compiled, error: undefined }) };
  } catch (error) {
    if (!(error instanceof DocumentError)) throw error;
    return { report: refusalReport(file, error.toFault()) };
  }
}

/** The report of `examineDocument` alone. */
export async function importReport(file: string, input: CompileInput): Promise<ImportReport> {
  return (await examineDocument(file, input)).report;
}
