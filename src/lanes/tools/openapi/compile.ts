import type { JsonObject } from '../../../core/json.ts';
import { createHash } from 'node:crypto';
import type { ToolDefinition } from '../../../core/tools.ts';
import { readAnswers } from './bindings/answers.ts';
import { readBody } from './bindings/body.ts';
import { ParameterReader } from './bindings/parameters.ts';
import type { PathPlace } from './bindings/route.ts';
import { readPathKey } from './bindings/route.ts';
import { SecurityReader } from './bindings/schemes.ts';
import { ServerReader } from './bindings/servers.ts';
import { applyOverlays } from './overlays/apply-overlays.ts';
import { readExampleRequests } from './document/example-requests.ts';
import { readDocument } from './document/read.ts';
import { body2 } from './document/swagger2.ts';
import type { Node, Tree } from './document/tree.ts';
import { at, isNode, isText, OperationFault } from './document/tree.ts';
import { nameOperations } from './names.ts';
import type { ListedOperation } from './operations.ts';
import { listOperations } from './operations.ts';
import { iconsOf, presentTool } from './presentation.ts';
import type { Presentation } from './presentation.ts';
import { BYTES_PER_TOKEN, fitSchema } from './schema/write/fit.ts';
import { outputSchema } from './schema/write/output.ts';
import type { OutputSchema } from './schema/write/output.ts';
import { SchemaReader } from './schema/reader.ts';
import { definitionsOf } from './whole-schema.ts';
import { tidy } from './schema/json.ts';
import type { CompiledOperation, CompiledService, CompileInput, CompileProgress, LeftOut, ParameterBinding } from './types.ts';
import { DOCUMENT_LIMITS, withSchema } from './types.ts';

/** Characters of a title or version of a document. */
const LONGEST_TITLE = 500;
const LONGEST_DESCRIPTION = 2000;
/** Bytes of an answer's schema: 2,000 tokens, of which nulls and wrapping take a part. */
const OUTPUT_BUDGET = 1700 * BYTES_PER_TOKEN;

/** Everything that is read once per document. */
interface Readers {
  readonly tree: Tree;
  readonly servers: ServerReader;
  readonly security: SecurityReader;
  readonly parameters: ParameterReader;
  readonly answers: SchemaReader | undefined;
  readonly presentation: Presentation;
}

type UnfinishedOperation = Omit<CompiledOperation, 'schemaText'>;

/** One operation, and how far the document is. */
export interface CompiledPiece extends CompileProgress {
  /** Absent when it is left out. Its input schema is empty; `withSchema` puts it in. */
  readonly operation?: UnfinishedOperation;
  /** The operation as JSON, and its input schema. */
  readonly text: string;
  readonly schemaText: string;
}

/** All of a compiled service but its operations. */
export type ServiceHead = Omit<CompiledService, 'operations'>;

/**
 * An OpenAPI (3.0, 3.1, 3.2) or Swagger (2.0) document as tools and the requests behind them. Every operation is in `operations` or in `leftOut`.
 * Throws DocumentError for a document that is refused as a whole. `onProgress` hears of every operation.
 */
export function compileDocument(input: CompileInput, onProgress?: (progress: CompileProgress) => void): CompiledService {
  const operations: CompiledOperation[] = [];
  const pieces = compilePieces(input);
  for (;;) {
    const { done, value } = pieces.next();
    if (done === true) return { ...value, operations };
    onProgress?.({ done: value.done, operations: value.operations });
    const { operation, schemaText } = value;
    if (operation !== undefined) operations.push(withSchema(operation, schemaText));
  }
}

/** `compileDocument` piece by piece, for who must not wait for all of it. */
export function* compilePieces(input: CompileInput): Generator<CompiledPiece, ServiceHead> {
  const { overlays } = input;
  const limits = { ...DOCUMENT_LIMITS, ...input.limits };
  const tree = readDocument(input, limits, overlays && ((root) => applyOverlays(root, overlays, input, limits)));
  const leftOut: LeftOut[] = [];
  const listed = listOperations(tree, leftOut);
  const names = nameOperations(listed.map(nameable), input.name, input.names);
  const readers = readersFor(tree, input);
  const wholes: JsonObject[] = [];
  // Texts of JSON need nothing between them to be told apart.
  const fingerprint = createHash('sha256');
  for (const [done, one] of listed.entries()) {
    const progress = { done, operations: listed.length };
    try {
      const piece = compileOperation(one, names.get(one.identity) ?? one.identity, readers);
      fingerprint.update(piece.text).update(piece.schemaText);
      const whole = piece.operation.whole?.schema;
      if (whole !== undefined) wholes.push(whole);
      yield { ...piece, ...progress };
    } catch (error) {
      if (!(error instanceof OperationFault)) throw error;
      const { method, path, pointer } = one;
      leftOut.push({ method, path, pointer: error.pointer ?? pointer, code: error.code, message: error.message });
      yield { text: '', schemaText: '', ...progress };
    }
  }
  const definitions = definitionsOf(wholes, readers.presentation.schemas);
  for (const text of definitions.values()) fingerprint.update(text);
  const info = isNode(tree.root['info']) ? tree.root['info'] : {};
  const title = textOf(info['title']);
  const description = isText(info['description']) ? tidy(info['description'], LONGEST_DESCRIPTION) : undefined;
  const tokenUrl = readers.security.tokenUrl();
  fingerprint.update(JSON.stringify([input.options?.exposeOperation, title, description, tokenUrl]));
  return {
    document: { title, version: textOf(info['version']), openapi: tree.version },
    ...(description !== undefined && { description }),
    definitions,
    warnings: tree.warnings,
    leftOut,
    names: Object.fromEntries(names),
    ...(tokenUrl !== undefined && { tokenUrl }),
    ...(input.url !== undefined && readers.servers.isRelative && { base: readers.servers.document }),
    hash: fingerprint.digest('hex'),
  };
}

function nameable({ identity, method, path, operation }: ListedOperation) {
  const { operationId } = operation;
  return { identity, method, path, ...(isText(operationId) && { operationId }) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, LONGEST_TITLE) : '';
}

function readersFor(tree: Tree, input: CompileInput): Readers {
  const schemas = new SchemaReader(tree, 'request');
  const servers = new ServerReader(tree, input.url);
  return {
    tree,
    servers,
    security: new SecurityReader(tree, servers.document.startsWith('http') ? servers.document : (input.url ?? '')),
    parameters: new ParameterReader(tree, schemas),
    answers: input.options?.outputSchemas === true ? new SchemaReader(tree, 'response') : undefined,
    presentation: {
      service: input.name,
      schemas,
      icons: iconsOf(tree.root),
      exposeOperation: input.options?.exposeOperation !== false,
    },
  };
}

function compileOperation(
  listed: ListedOperation,
  name: string,
  readers: Readers,
): { operation: UnfinishedOperation; text: string; schemaText: string } {
  const { method, path, identity, pathItem, operation, pathPointer, pointer } = listed;
  const { tree, presentation } = readers;
  const security = readers.security.of(operation, pointer);
  const declared = readers.parameters.collect(pathItem, operation, pathPointer, pointer);
  const { parts, query } = readPathKey(path, namesIn(declared, 'query'));
  const places = parts.filter((part): part is PathPlace => typeof part !== 'string');
  const drafts = readers.parameters.drafts(declared, places, security, pointer);
  const requestBody = tree.swagger ? body2(tree, operation, declared, pointer) : operation['requestBody'];
  const body = readBody(tree, presentation.schemas, requestBody, method, at(pointer, 'requestBody'));
  const presented = presentTool(name, listed, drafts, body, presentation);
  const answers = readAnswers(tree, operation, pointer);
  const output = readers.answers === undefined ? undefined : outputOf(readers.answers, answers.schema, pointer);
  const examples = readExampleRequests(tree, operation, pointer);
  const tool = examples.length === 0 ? presented.tool : { ...presented.tool, examples };
  const compiled: UnfinishedOperation = {
    identity,
    tool: output === undefined ? tool : { ...tool, definition: { ...tool.definition, outputSchema: output.schema } },
    ...(presented.whole !== undefined && { whole: presented.whole }),
    method,
    path,
    server: readers.servers.of(pathItem, operation, pointer),
    route: routeOf(parts, presented.parameters),
    fixedQuery: query,
    parameters: presented.parameters,
    ...(body !== undefined && { body: body.binding }),
    security,
    accept: answers.accept,
    tokens: tokensOf(tool.definition, presented.schemaText),
    ...(output !== undefined && { output: output.output }),
  };
  return { operation: compiled, text: JSON.stringify(compiled), schemaText: presented.schemaText };
}

function namesIn(parameters: readonly Node[], place: string): Set<string> {
  return new Set(parameters.filter((one) => one['in'] === place).map((one) => String(one['name'])));
}

function tokensOf({ name, description }: ToolDefinition, inputSchema: string): number {
  const text = `${JSON.stringify({ name, description })},"inputSchema":${inputSchema}`;
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

function routeOf(parts: readonly (string | PathPlace)[], parameters: readonly ParameterBinding[]): (string | number)[] {
  return parts.map((part) => {
    if (typeof part === 'string') return part;
    return parameters.findIndex(({ place, name }) => place === 'path' && name === part.name);
  });
}

/** None when the document has none, it cannot be read, or it is too large for a list. */
function outputOf(schemas: SchemaReader, answer: unknown, pointer: string): OutputSchema | undefined {
  if (answer === undefined) return undefined;
  try {
    const { json, references } = schemas.read(answer, at(pointer, 'responses'));
    const fitted = fitSchema(json, references, schemas, OUTPUT_BUDGET, OUTPUT_BUDGET);
    return fitted === undefined ? undefined : outputSchema(fitted.schema ?? (JSON.parse(fitted.text) as JsonObject));
  } catch (error) {
    if (!(error instanceof OperationFault)) throw error;
    return undefined;
  }
}
