import type { Host } from '../../../../src/core/contracts/extension.ts';
import type { PolicyHooks } from '../../../../src/core/contracts/policy.ts';
import type { Findable, Found, Semantics, TextIndex } from '../../../../src/core/contracts/semantics.ts';
import type { JsonObject } from '../../../../src/core/json.ts';
import type { ModelsOperation } from '../../../../src/core/models.ts';
import type { LiveCall } from '../../../../src/pipeline/live-call.ts';
import toolSelection, { type ToolSelectionOptions } from '../../../../src/policies/tool-selection.ts';
import { chatCall } from '../cached-hub.ts';

export type Format = 'chat' | 'responses' | 'messages';

/** A definition of a function in one of the three formats. */
export function toolOf(format: Format, name: string, more: JsonObject = {}): JsonObject {
  const described = { name, description: `About ${name.replaceAll('_', ' ')}` };
  const schema = { type: 'object', properties: { id: { type: 'string', description: 'Which one' } } };
  if (format === 'messages') return { ...described, input_schema: schema, ...more };
  if (format === 'responses') return { type: 'function', ...described, parameters: schema, strict: true, ...more };
  return { type: 'function', function: { ...described, parameters: schema }, ...more };
}

const SUBJECTS = ['invoice', 'weather', 'calendar', 'repository', 'pet', 'flight', 'recipe', 'song', 'lamp', 'stock'] as const;
const VERBS = ['list', 'get', 'create', 'update', 'delete'] as const;

/** Fifty of them: `list_invoice` to `delete_stock`. */
export const NAMES = SUBJECTS.flatMap((subject) => VERBS.map((verb) => `${verb}_${subject}`));

export function toolsOf(format: Format): JsonObject[] {
  return NAMES.map((name) => toolOf(format, name));
}

/** The name of a tool, or the type of one that has none. */
export function nameOf(entry: unknown): unknown {
  const { name, type, function: nested } = entry as { name?: unknown; type?: unknown; function?: { name: unknown } };
  return nested?.name ?? name ?? type;
}

export interface SelectionUnderTest {
  readonly hooks: PolicyHooks<'models'>;
  /** How many indexes were made. */
  readonly indexed: readonly (readonly Findable[])[];
  /** What was searched for. */
  readonly queries: readonly string[];
  readonly warned: readonly unknown[];
}

/** Ranks by the words that name and description share with the query, later ones after earlier ones. */
function wordIndex(texts: readonly Findable[]): (query: string, top: number) => Found {
  return (query, top) => {
    const wanted = new Set(query.toLowerCase().split(/\W+/));
    const hits = texts.flatMap(({ name, description }, index) => {
      const words = [...new Set(`${name.replaceAll('_', ' ')} ${description}`.toLowerCase().split(/\W+/))].filter((word) =>
        wanted.has(word),
      );
      return words.length === 0 ? [] : [{ index, score: words.length / wanted.size, words, lexical: words.length }];
    });
    return { hits: hits.toSorted((a, b) => b.score - a.score).slice(0, top), model: 'words@1' };
  };
}

/** The policy over a search by words, or over one that is given. */
export async function selecting(
  options: ToolSelectionOptions = {},
  find?: (query: string, top: number) => Promise<Found>,
): Promise<SelectionUnderTest> {
  const indexed: (readonly Findable[])[] = [];
  const queries: string[] = [];
  const warned: unknown[] = [];
  const index = (texts: readonly Findable[]): TextIndex => {
    indexed.push(texts);
    const byWords = wordIndex(texts);
    return {
      size: texts.length,
      find: async (query, top) => {
        queries.push(query);
        return find === undefined ? byWords(query, top) : find(query, top);
      },
    } as TextIndex;
  };
  const shared = new Map<string, unknown>();
  const host = {
    semantics: { index } as unknown as Semantics,
    log: { warn: (fields: unknown) => warned.push(fields) },
    shared: <T>(key: string, create: () => T): T => {
      if (!shared.has(key)) shared.set(key, create());
      return shared.get(key) as T;
    },
  } as unknown as Host;
  return { hooks: await toolSelection.create(options, host), indexed, queries, warned };
}

/** A request for `text` in a format. */
export function request(format: Format, text: string, more: JsonObject = {}): JsonObject {
  const turns = [{ role: 'user', content: text }];
  return { model: 'm', ...(format === 'responses' ? { input: turns } : { messages: turns }), tools: toolsOf(format), ...more };
}

/** Moves a request through the policy alone. */
export async function select(
  { hooks }: Pick<SelectionUnderTest, 'hooks'>,
  operation: ModelsOperation,
  body: JsonObject,
): Promise<LiveCall<'models'>> {
  const call = chatCall(body, { operation });
  await hooks.onCall!(call);
  return call;
}

export function namesOf(call: LiveCall<'models'>): unknown[] {
  return (call.input.body['tools'] as unknown[]).map(nameOf);
}
