import type { JsonObject } from '../../../core/json.ts';
import type { Risk, SourceTool, ToolAnnotations } from '../../../core/tools.ts';
import { findPaging, pagingSentence } from './answers/paging.ts';
import { argumentKeys } from './bindings/keys.ts';
import type { BodyDraft } from './bindings/body.ts';
import type { ParameterDraft } from './bindings/parameters.ts';
import type { Node } from './document/tree.ts';
import { isNode, isText, listOf } from './document/tree.ts';
import type { ListedOperation } from './operations.ts';
import { BYTES_PER_TOKEN, fitSchema, skeleton, SKELETON_CUTS } from './schema/write/fit.ts';
import type { Json } from './schema/json.ts';
import { put, shorten, tidy } from './schema/json.ts';
import type { SchemaReader } from './schema/reader.ts';
import type { CompiledOperation, ParameterBinding } from './types.ts';

const LONGEST_DESCRIPTION = 1000;
/** Of a description where it is shown in full. */
const LONGEST_WHOLE = 20_000;
const LONGEST_TITLE = 120;
const NOTHING: JsonObject = {};
/** A picture inside each tool of a list must be small. */
const LONGEST_ICON = 4096;
const BUDGET = 1500 * BYTES_PER_TOKEN;
const HARD_LIMIT = 8000 * BYTES_PER_TOKEN;

/** What all tools of one document have in common. */
export interface Presentation {
  readonly service: string;
  readonly schemas: SchemaReader;
  readonly icons: readonly JsonObject[] | undefined;
  readonly exposeOperation: boolean;
}

export interface Presented {
  readonly tool: SourceTool;
  readonly parameters: readonly ParameterBinding[];
  /** The input schema as JSON; that of the tool is empty. */
  readonly schemaText: string;
  /** What the tool does not show. */
  readonly whole?: NonNullable<CompiledOperation['whole']>;
}

/** The tool that clients see, and which of its arguments goes where. */
export function presentTool(
  name: string,
  listed: ListedOperation,
  drafts: readonly ParameterDraft[],
  body: BodyDraft | undefined,
  presentation: Presentation,
): Presented {
  const { method, path, operation } = listed;
  const keys = argumentKeys(drafts.map(({ binding }) => binding), body === undefined ? [] : [body.binding.key]); // prettier-ignore
  const parameters = drafts.map(({ binding }, index): ParameterBinding => ({ key: keys[index] ?? binding.name, ...binding }));
  const title = isText(operation['summary']) ? tidy(operation['summary'], LONGEST_TITLE) : undefined;
  const text = descriptionOf(operation, method, path);
  const paged = pagingSentence(findPaging({ parameters, inputSchema: { properties: schemasByKey(parameters, drafts) } }));
  const short = shorten(text, LONGEST_DESCRIPTION - (paged === undefined ? 0 : paged.length + 2));
  const description = withSentence(short, paged);
  const fitted = inputSchema(parameters, drafts, body, presentation.schemas, Buffer.byteLength(description));
  const annotations = annotationsFor(method);
  const { icons, exposeOperation, service } = presentation;
  const whole = {
    ...(text.length > short.length && { description: withSentence(text, paged) }),
    ...(fitted.whole !== undefined && { schema: fitted.whole }),
  };
  const cuts = [...(whole.description === undefined ? [] : ['the end of the description']), ...fitted.cuts];
  return {
    parameters,
    schemaText: fitted.text,
    ...(cuts.length > 0 && { whole: { ...whole, cuts } }),
    tool: {
      definition: {
        name,
        ...(title !== undefined && { title }),
        description,
        inputSchema: NOTHING,
        annotations,
        ...(icons !== undefined && { icons }),
        ...(exposeOperation && { _meta: { 'hubgate/operation': { service, method, path, bindings: bindingsOf(parameters, body) } } }),
      },
      risk: riskOf(method),
      tags: [...new Set(listOf(operation['tags']).filter(isText))],
      operation: { method, path },
    },
  };
}

function inputSchema(
  parameters: readonly ParameterBinding[],
  drafts: readonly ParameterDraft[],
  body: BodyDraft | undefined,
  schemas: SchemaReader,
  used: number,
): { text: string; cuts: readonly string[]; whole?: Json } {
  const properties: Json = {};
  const required: string[] = [];
  let references = body?.references === true;
  for (const [index, { key, required: needed }] of parameters.entries()) {
    const draft = drafts[index];
    if (draft === undefined) continue;
    put(properties, key, draft.schema);
    if (needed) required.push(key);
    references ||= draft.references;
  }
  if (body !== undefined) {
    properties[body.binding.key] = body.schema;
    if (body.binding.required) required.push(body.binding.key);
  }
  const root: Json = { type: 'object', properties, ...(required.length > 0 && { required }), additionalProperties: false };
  const fitted = fitSchema(root, references, schemas, BUDGET - used, HARD_LIMIT - used);
  if (fitted !== undefined) return { ...fitted, ...(fitted.cuts.length > 0 && { whole: root }) };
  return { text: JSON.stringify(skeleton(root, schemas)), cuts: SKELETON_CUTS, whole: root };
}

/** The summary stands before the description unless that says the same; it is the tool's title as well. */
function descriptionOf(operation: Node, method: string, path: string): string {
  const summary = isText(operation['summary']) ? operation['summary'].trim() : '';
  const text = isText(operation['description']) ? operation['description'].trim() : '';
  const whole = text === '' ? summary : says(text, summary) ? text : withSentence(summary, text);
  const described = tidy(whole === '' ? `${method} ${path}` : whole, LONGEST_WHOLE);
  return operation['deprecated'] === true ? `Deprecated. ${described}` : described;
}

function withSentence(text: string, sentence: string | undefined): string {
  return sentence === undefined ? text : `${text}${/[.!?:…]$/.test(text) ? '' : '.'} ${sentence}`;
}

function schemasByKey(parameters: readonly ParameterBinding[], drafts: readonly ParameterDraft[]): Json {
  const schemas: Json = {};
  for (const [index, { key }] of parameters.entries()) put(schemas, key, drafts[index]?.schema);
  return schemas;
}

/** Three of four words of `summary`, without their endings, are in the first sentences of `text`. */
function says(text: string, summary: string): boolean {
  if (summary === '') return true;
  const start = text.slice(0, 300).toLowerCase();
  const words = summary.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu);
  if (words === null) return start.includes(summary.toLowerCase());
  let found = 0;
  for (const word of words) if (start.includes(word.length > 5 ? word.slice(0, -2) : word)) found += 1;
  return found * 4 >= words.length * 3;
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY']);

function riskOf(method: string): Risk {
  if (READS.has(method)) return 'read';
  return method === 'DELETE' ? 'destructive' : 'write';
}

function annotationsFor(method: string): ToolAnnotations {
  const reads = READS.has(method);
  return {
    readOnlyHint: reads,
    destructiveHint: method === 'DELETE',
    idempotentHint: reads || method === 'PUT' || method === 'DELETE',
    openWorldHint: true,
  };
}

function bindingsOf(parameters: readonly ParameterBinding[], body: BodyDraft | undefined): JsonObject {
  const bindings: Json = {};
  for (const { key, place, name } of parameters) put(bindings, key, place === 'querystring' ? place : `${place}:${name}`);
  if (body !== undefined) bindings[body.binding.key] = 'body';
  return bindings;
}

/** The picture the document names for itself, as MCP shows it. */
export function iconsOf(root: Node): readonly JsonObject[] | undefined {
  const { info } = root;
  if (!isNode(info)) return undefined;
  for (const key of ['x-logo', 'x-icon']) {
    const value = info[key];
    const src = isNode(value) ? (value['url'] ?? value['src']) : value;
    if (isText(src) && (/^https:\/\/[^\s]+$/.test(src) || src.startsWith('data:image/')) && src.length <= LONGEST_ICON) return [{ src }];
  }
  return undefined;
}
