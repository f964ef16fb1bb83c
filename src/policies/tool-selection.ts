import type { Call } from '../core/call.ts';
import { compileGlob } from '../core/conditions.ts';
import type { Host } from '../core/contracts/extension.ts';
import { definePolicy, type PolicyHooks } from '../core/contracts/policy.ts';
import type { Found } from '../core/contracts/semantics.ts';
import { tokensOf } from '../core/units/tokens.ts';
import { chooseTools, type Choice, type ChoiceSettings } from './_selection-choice.ts';
import { cutTools } from './_selection-cut.ts';
import { ToolLists, type ToolList } from './_selection-lists.ts';
import { neededNames } from './_selection-names.ts';
import { QUERIES, queryOf, type QueryMessages } from './_selection-query.ts';
import { readTools, type OfferedTool, type OwnTool } from './_selection-tools.ts';

export interface ToolSelectionOptions {
  readonly top?: number;
  readonly above?: number;
  readonly unsure?: number;
  readonly threshold?: number;
  readonly keep?: readonly string[];
  readonly only?: readonly string[];
  readonly query?: QueryMessages;
  readonly model?: string;
  readonly dryRun?: boolean;
}

/** Cuts the `tools` of a request to those that it is likely to need, found by words and meaning of what the user asks for. */
export default definePolicy<ToolSelectionOptions, 'models'>({
  name: 'tool-selection',
  stage: 'transform',
  lanes: ['models'],
  options: {
    type: 'object',
    additionalProperties: false,
    properties: {
      top: {
        type: 'integer',
        minimum: 1,
        maximum: 1000,
        description: 'How many of the tools go on, besides those that always do; with a threshold, at most. Default: 20.',
      },
      above: {
        type: 'integer',
        minimum: 1,
        maximum: 100_000,
        description: 'Requests with up to this many tools pass as they are. Default: 40.',
      },
      unsure: {
        type: 'integer',
        minimum: 1,
        maximum: 100_000,
        description:
          'How many go on where nothing in the request tells which are needed, such as 128 for a vendor that takes no more. Default: all.',
      },
      threshold: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        description: 'Tools whose score is below this share of the best are left out, though there are fewer than top then. Default: 0.',
      },
      keep: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        description: 'Tools whose names match one of these globs always go on. Those that the request names or has used do anyway.',
      },
      only: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        minItems: 1,
        description:
          'No tools but those whose names match one of these globs are ever left out, such as mcp__* for coding agents. Default: all.',
      },
      query: {
        enum: [...QUERIES],
        description:
          "What the tools are found by: the user's last message (and the one before it, when it is short), or the conversation: as many of the user's messages as fit into 1,000 characters, newest first. Default: last.",
      },
      model: { type: 'string', minLength: 1, description: 'As embedding.model takes it. Default: that one.' },
      dryRun: { type: 'boolean', description: 'Nothing is left out; records say what would be. Default: false.' },
    },
  },
  create: (options, host) => selectionHooks(settingsOf(options), host),
});

interface Settings extends ChoiceSettings {
  readonly above: number;
  /** Whether a tool of this name may be left out. */
  readonly mayCut: (name: string) => boolean;
  readonly query: QueryMessages;
  readonly model: string | undefined;
  readonly dryRun: boolean;
}

function settingsOf(options: ToolSelectionOptions): Settings {
  const { top = 20, above = 40, unsure, threshold = 0, keep = [], only = ['*'], query = 'last', model, dryRun = false } = options;
  const [kept, cut] = [keep, only].map((globs) => globs.map(compileGlob));
  const mayCut = (name: string): boolean => cut!.some((glob) => glob(name)) && !kept!.some((glob) => glob(name));
  return { top, above: Math.max(above, top), unsure, threshold, query, model, dryRun, mayCut };
}

/** Milliseconds that a request waits at most to be told its tools. */
const LONGEST_SEARCH_MS = 2000;
/** Of an empty message. */
const NOTHING: Found = { hits: [] };
const OPERATIONS = new Set<string>(['chat', 'responses', 'messages', 'count_tokens']);

function selectionHooks(settings: Settings, host: Host): PolicyHooks<'models'> {
  const { model, query: messages, top, above, unsure, threshold, dryRun, mayCut } = settings;
  const lists = host.shared(`lists ${model ?? ''}`, () => new ToolLists());
  /** What answered last. */
  let active: string | undefined;

  const search = async (call: Call<'models'>, tools: readonly OfferedTool[], own: readonly OwnTool[]): Promise<void> => {
    const query = queryOf(call.input.body, messages);
    const list = lists.get(own, host.semantics, model);
    const found = query === '' ? NOTHING : await inTime(list.index.find(query, Math.max(top, unsure ?? 0)));
    if (query !== '') active = found.model ?? 'words alone';
    select(call, { tools, list, found, choice: chooseTools(found, list.names.length, settings) }, settings);
  };

  return {
    onCall(call) {
      const { tools } = call.input.body;
      if (!OPERATIONS.has(call.operation) || !Array.isArray(tools) || tools.length <= above) return undefined;
      const read = readTools(tools, mayCut);
      const own = read.flatMap((tool) => tool.own ?? []);
      if (own.length <= above) return undefined;
      return search(call, read, own).catch((err: unknown) => {
        host.log.warn({ err, call: call.id }, 'the tools of a request could not be selected, so all of them go on');
        noteFailure(call, read);
      });
    },
    explain({ lane }) {
      if (lane !== 'models') return [];
      const rule = `tool-selection: ${threshold > 0 ? 'at most ' : ''}${top} of more than ${above} tools${dryRun ? ', dry run' : ''}`;
      return [{ rule, value: active ?? `by ${model ?? 'the model of embedding'}` }];
    },
  };
}

interface Selection {
  readonly tools: readonly OfferedTool[];
  readonly list: ToolList;
  readonly found: Found;
  readonly choice: Choice;
}

function select(call: Call<'models'>, { tools, list, found, choice }: Selection, { dryRun }: Settings): void {
  const { body } = call.input;
  const names = new Set(choice.places.map((place) => list.names[place]));
  const needed = neededNames(body);
  for (const name of list.names) if (needed.has(name)) names.add(name);
  const isKept = ({ own }: OfferedTool): boolean => own === undefined || names.has(own.name);
  const kept = cutTools(tools, isKept);
  const full = tokensOfAll(tools);
  const offered = tokensOfAll(tools.filter(isKept));
  const detail = detailOf(kept.length, tools.length, found, choice);
  if (!dryRun && kept.length < tools.length) call.input = { ...call.input, body: { ...body, tools: kept } };
  // What is only counted is not offered to anybody.
  if (call.operation === 'count_tokens') call.note('selected', dryRun ? `dry run: ${detail}` : detail);
  else if (dryRun) call.note('selected', `dry run: ${detail}`, { full, offered: full, would: offered });
  else call.note('selected', detail, { full, offered });
}

function detailOf(kept: number, all: number, { model = 'words alone', degraded }: Found, { unsure }: Choice): string {
  const amount = kept === all ? `all ${all} tools` : `${kept} of ${all} tools`;
  if (unsure) return `${amount}: the request does not tell which`;
  return `${amount} by ${model}${degraded === undefined ? '' : `: ${degraded.reason}`}`;
}

function noteFailure(call: Call<'models'>, tools: readonly OfferedTool[]): void {
  const detail = `all ${tools.length} tools: the search failed`;
  if (call.operation === 'count_tokens') return call.note('selected', detail);
  const full = tokensOfAll(tools);
  call.note('selected', detail, { full, offered: full });
}

function tokensOfAll(tools: readonly OfferedTool[]): number {
  return tools.reduce((sum, { entry, own, deferred }) => (deferred ? sum : sum + tokensOf(own?.definition ?? entry)), 0);
}

function inTime<T>(search: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the search took longer than ${LONGEST_SEARCH_MS} ms`)), LONGEST_SEARCH_MS);
  });
  return Promise.race([search, late]).finally(() => clearTimeout(timer));
}
