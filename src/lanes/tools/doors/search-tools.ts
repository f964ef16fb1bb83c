import type { JsonObject } from '../../../core/json.ts';
import type { ToolDefinition } from '../../../core/tools.ts';
import { MOST_FOUND } from '../../../http/narrowing.ts';

/** The tools that stand in for a long list (DESIGN 2.2), and the one that finds agents. */
export const SEARCH_TOOLS = ['search_tools', 'describe_tool', 'call_tool', 'search_agents'] as const;
export type SearchTool = (typeof SEARCH_TOOLS)[number];

/** What each of them takes. */
export const SEARCH_ARGUMENTS: Readonly<Record<SearchTool, readonly string[]>> = {
  search_tools: ['query', 'top'],
  describe_tool: ['name'],
  call_tool: ['name', 'arguments'],
  search_agents: ['query', 'top'],
};

const READ_ONLY = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

const text = (description: string): JsonObject => ({ type: 'string', description });
const object = (properties: JsonObject, required: readonly string[]): JsonObject => ({ type: 'object', properties, required });
const listOf = (item: JsonObject): JsonObject => ({ type: 'array', items: item });

const degraded = object({ requested: text(''), active: text(''), reason: text('') }, ['requested', 'active', 'reason']);
const score = { type: 'number', description: 'From 0 to 1, by words and meaning.' };

function searchInput(top: number, what: string): JsonObject {
  return {
    ...object(
      {
        query: text(`What is to be done, in a few words or a sentence: ${what}.`),
        top: { type: 'integer', minimum: 1, maximum: MOST_FOUND, default: top, description: 'How many to find.' },
      },
      ['query'],
    ),
    additionalProperties: false,
  };
}

/** The definitions as a list shows them; `count` is how many tools can be found, `top` how many a search gives unless asked for more. */
export function searchToolDefinitions(count: number, top: number, agents: boolean): ToolDefinition[] {
  const found = object({ name: text(''), title: text(''), description: text(''), score, inputSchema: { type: 'object' } }, [
    'name',
    'description',
    'score',
    'inputSchema',
  ]);
  const definitions: ToolDefinition[] = [
    {
      name: 'search_tools',
      title: 'Search tools',
      description: `Finds the right ones of ${count} tools by what they do. Describe the task; for several tasks search several times. Call what it finds with call_tool.`,
      inputSchema: searchInput(top, '"refund a payment"'),
      outputSchema: object({ tools: listOf(found), degraded }, ['tools']),
      annotations: READ_ONLY,
    },
    {
      name: 'describe_tool',
      title: 'Describe a tool',
      description: 'Gives the whole definition of one tool by its name: what it does and the schema of its arguments.',
      inputSchema: { ...object({ name: text('The name of the tool, as search_tools gives it.') }, ['name']), additionalProperties: false },
      annotations: READ_ONLY,
    },
    {
      name: 'call_tool',
      title: 'Call a tool',
      description: 'Calls a tool that search_tools found. The arguments follow the inputSchema of that tool.',
      inputSchema: {
        ...object(
          {
            name: text('The name of the tool, as search_tools gives it.'),
            arguments: { type: 'object', description: 'By the inputSchema of the tool.', additionalProperties: true },
          },
          ['name'],
        ),
        additionalProperties: false,
      },
      annotations: { readOnlyHint: false },
    },
  ];
  if (!agents) return definitions;
  return [
    ...definitions,
    {
      name: 'search_agents',
      title: 'Search agents',
      description: 'Finds A2A agents by what they can do, with the address of each and its skills.',
      inputSchema: searchInput(top, '"plan a trip"'),
      annotations: READ_ONLY,
    },
  ];
}
