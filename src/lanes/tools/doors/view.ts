import type { JsonObject } from '../../../core/json.ts';
import { createHash } from 'node:crypto';
import type { Access, RuleCondition } from '../../../access/permit.ts';
import type { Consumer } from '../../../core/consumer.ts';
import { redefined, type Profile, type ToolDefinition, type ToolsReply } from '../../../core/tools.ts';
import { isSearched, type SearchSettings } from './search-settings.ts';
import { searchToolDefinitions } from './search-tools.ts';
import { toolForm } from '../profiles/tool-form.ts';
import { toolInFull, toolResource, toolResourceUri } from '../profiles/tool-resource.ts';
import type { SourceEntry } from './source-entry.ts';
import { compileTemplate } from './uri-template.ts';
import type { ExposedTool } from './virtual-server.ts';

/** A tool that one consumer may use on one door; conditions of its rules are asked when it is called. */
export interface ViewTool extends ExposedTool {
  readonly conditions: readonly RuleCondition[];
  /** As this view lists it; `tool.definition` is the same whatever the client. */
  readonly shown: ToolDefinition;
}

/** A resource, template or prompt on one door. */
export interface ExposedEntry {
  /** As the list shows it. */
  readonly shown: JsonObject;
  /** The URI, template or name inside the source. */
  readonly sourceName: string;
  readonly entry: SourceEntry;
  readonly access: Access;
}

/** What one door offers before anybody asks who calls. */
export interface Offer {
  readonly tools: readonly ExposedTool[];
  readonly resources: readonly ExposedEntry[];
  readonly resourceTemplates: readonly ExposedEntry[];
  readonly prompts: readonly ExposedEntry[];
  /** Whether this door takes a resource of a source that no list names: one behind a template. */
  takes(entry: SourceEntry, uri: string): boolean;
  /** The door of one source alone: it may read more than it lists, and answers for itself. */
  readonly only?: { readonly entry: SourceEntry; readonly access: Access };
}

export type ListKind = 'tools' | 'resources' | 'prompts';

/** What one consumer sees on one door: lists, and the only map that a call's name is looked up in, so that list and call cannot disagree. */
export interface View {
  /** How its tools are written. */
  readonly profile: Profile;
  /** By the names that the list shows. */
  readonly tools: ReadonlyMap<string, ViewTool>;
  /** How the door searches. */
  readonly search: SearchSettings;
  /** The search tools that stand in for the list; none where it is whole. */
  readonly searchTools: ReadonlySet<string>;
  /** As `tools/list` has them, on one page or several. */
  readonly listed: readonly ToolDefinition[];
  /** The tool of a call: by the name that the list shows, or by the one it has for other clients. */
  tool(name: string): ViewTool | undefined;
  /** The contents of a tool's definition in full; undefined where its list entry is all there is, or it may not be seen. */
  toolInFull(uri: string): JsonObject | undefined;
  /** Where a URI is read, by this consumer, on this door; undefined when it may not know of it. The one answer for read, subscribe and notices. */
  resource(uri: string): Pick<ExposedEntry, 'entry' | 'sourceName'> | undefined;
  readonly templates: readonly ExposedEntry[];
  readonly prompts: ReadonlyMap<string, ExposedEntry>;
  /** One page of a list; undefined for a cursor that is none of ours. */
  page(method: ListMethod, cursor: unknown): ToolsReply | undefined;
  /** A hash of each list: another value means that the list has changed. */
  readonly versions: Readonly<Record<ListKind, string>>;
  /** The same for all tools, listed or not: another value when one comes, goes or is described otherwise. */
  readonly catalogue: string;
}

/** A hash of a list as it is seen from a URL; one with a query depends on all tools. */
export function versionOf(view: View, kind: ListKind, hasQuery: boolean): string {
  return kind === 'tools' && hasQuery ? view.catalogue : view.versions[kind];
}

export const LIST_KEYS = {
  'tools/list': 'tools',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
  'prompts/list': 'prompts',
} as const;
export type ListMethod = keyof typeof LIST_KEYS;

/** Lists come in one page up to this size (DESIGN 2.2); many clients read one page only. */
const PAGE_BYTES = 4_000_000;

/** Characters that whole definitions may take in all lists of a view; the tools beyond have the default form. */
const RAW_ROOM = 64_000_000;

export function buildView(offer: Offer, consumer: Consumer, profile: Profile, search: SearchSettings): View {
  const { tools: visible, names, inFull } = visibleTools(offer, consumer, profile);
  const { tools, searchTools, listed } = listedTools(visible, search);
  let catalogue: string | undefined;
  const resources = offer.resources.filter((one) => one.access.resource(consumer, one.sourceName));
  const templates = offer.resourceTemplates.filter((one) => one.access.resource(consumer, one.sourceName));
  const prompts = offer.prompts.filter((one) => one.access.prompt(consumer, one.shown['name'] as string));
  const own = new Set(resources.map((one) => one.sourceName));
  const whole = [...inFull].filter(([uri]) => !own.has(uri));
  const readable = new Map(whole);
  const lists = {
    'tools/list': paged('tools', listed),
    'resources/list': paged('resources', [...resources.map((one) => one.shown), ...whole.map(([, { listed }]) => listed)]),
    'resources/templates/list': paged(
      'resourceTemplates',
      templates.map((one) => one.shown),
    ),
    'prompts/list': paged(
      'prompts',
      prompts.map((one) => one.shown),
    ),
  };
  return {
    profile,
    tools,
    search,
    searchTools,
    listed,
    tool: (name) => tools.get(name) ?? names.get(name),
    toolInFull: (uri) => readable.get(uri)?.read(),
    resource: resourceFinder(offer, consumer, resources, templates),
    templates,
    prompts: new Map(prompts.map((one) => [one.shown['name'] as string, one])),
    page: (method, cursor) => pageAt(lists[method], cursor),
    get catalogue() {
      return (catalogue ??= catalogueOf(tools));
    },
    versions: {
      tools: lists['tools/list'].version,
      resources: lists['resources/list'].version + lists['resources/templates/list'].version,
      prompts: lists['prompts/list'].version,
    },
  };
}

/** The list of a few tools in place of all, such as those that match a query. */
export function fewTools(tools: readonly ViewTool[], cursor: unknown): ToolsReply | undefined {
  return pageAt(
    paged(
      'tools',
      tools.map(({ shown }) => shown),
    ),
    cursor,
  );
}

/** Pinned tools and search tools where those stand in for the list, else all. */
function listedTools(visible: ReadonlyMap<string, ViewTool>, search: SearchSettings): ListedTools {
  if (!isSearched(search, visible.size))
    return { tools: visible, searchTools: new Set(), listed: [...visible.values()].map((one) => one.shown) };
  const instead = searchToolDefinitions(visible.size, search.top, search.agents);
  const searchTools = new Set(instead.map(({ name }) => name));
  const tools = besides(visible, searchTools);
  const pinned = new Set(search.pinned);
  const kept = [...tools.values()].filter(({ tool }) => pinned.has(tool.name));
  return { tools, searchTools, listed: [...kept.map((one) => one.shown), ...instead] };
}

/** A tool that has the name of a search tool gets its source's name in front, so that what a search finds can be called. */
function besides(tools: ReadonlyMap<string, ViewTool>, taken: ReadonlySet<string>): ReadonlyMap<string, ViewTool> {
  if (![...taken].some((name) => tools.has(name))) return tools;
  const free = (name: string): string => (tools.has(name) || taken.has(name) ? free(`${name}_`) : name);
  return new Map(
    [...tools].map(([name, one]) => {
      if (!taken.has(name)) return [name, one];
      const other = free(`${one.tool.source}_${name}`);
      return [other, { ...one, shown: redefined(one.shown, { name: other }) }];
    }),
  );
}

function catalogueOf(tools: ReadonlyMap<string, ViewTool>): string {
  const digest = createHash('sha256');
  for (const [name, { shown }] of tools) digest.update(JSON.stringify([name, shown.title, shown.description]));
  return digest.digest('base64url').slice(0, 16);
}

interface ListedTools {
  readonly tools: ReadonlyMap<string, ViewTool>;
  readonly searchTools: ReadonlySet<string>;
  readonly listed: readonly ToolDefinition[];
}

interface InFull {
  readonly listed: JsonObject;
  read(): JsonObject;
}

interface VisibleTools {
  readonly tools: ReadonlyMap<string, ViewTool>;
  /** By the names that a profile replaced. */
  readonly names: ReadonlyMap<string, ViewTool>;
  /** Definitions that the list shortens, by their URI. */
  readonly inFull: ReadonlyMap<string, InFull>;
}

/** The tools that a consumer may see, in the form of a profile. The profile changes how each is written, never which there are. */
function visibleTools(offer: Offer, consumer: Consumer, profile: Profile): VisibleTools {
  const tools = new Map<string, ViewTool>();
  const names = new Map<string, ViewTool>();
  const inFull = new Map<string, InFull>();
  let room = RAW_ROOM;
  for (const exposed of offer.tools) {
    const { tool, access, accessName } = exposed;
    const decision = access.tool(consumer, { ...tool, name: accessName });
    if (!decision.visible) continue;
    const { definition: shown, cuts, input } = toolForm(tool, room < 0 ? 'default' : profile);
    if (profile === 'raw' && tool.whole !== undefined && room >= 0) room -= jsonOf(shown).length;
    const one: ViewTool = {
      ...exposed,
      conditions: decision.conditions,
      shown,
      ...(input === undefined ? {} : { input: chained(input, exposed.input) }),
    };
    tools.set(shown.name, one);
    if (shown.name !== tool.name) names.set(tool.name, one);
    if (cuts.length > 0)
      inFull.set(toolResourceUri(shown.name), { listed: toolResource(shown.name, cuts), read: () => toolInFull(shown.name, tool) });
  }
  return { tools, names, inFull };
}

type Input = NonNullable<ExposedTool['input']>;

/** From the form that the client sees, then what the operator changed. */
function chained(first: Input, second: Input | undefined): Input {
  return second === undefined ? first : (args) => second(first(args));
}

function resourceFinder(
  offer: Offer,
  consumer: Consumer,
  resources: readonly ExposedEntry[],
  templates: readonly ExposedEntry[],
): View['resource'] {
  const listed = new Map(resources.map((one) => [one.sourceName, one]));
  const patterns = templates.map((one) => ({ one, matches: compileTemplate(one.sourceName) }));
  return (uri) => {
    const known = listed.get(uri);
    if (known !== undefined) return known;
    // A template shows that there is something; whether this URI may be read is asked about the URI itself.
    const template = patterns.find(({ one, matches }) => matches(uri) && one.access.resource(consumer, uri) && offer.takes(one.entry, uri));
    if (template !== undefined) return { entry: template.one.entry, sourceName: uri };
    const { only } = offer;
    return only !== undefined && only.entry.source.mode === 'session' && only.access.resource(consumer, uri)
      ? { entry: only.entry, sourceName: uri }
      : undefined;
  };
}

const written = new WeakMap<JsonObject, string>();

/** Definitions are shared by the views of all consumers, so each is written once. */
function jsonOf(item: JsonObject): string {
  let json = written.get(item);
  if (json === undefined) written.set(item, (json = JSON.stringify(item)));
  return json;
}

interface PagedList {
  readonly pages: readonly ToolsReply[];
  readonly version: string;
}

function pageAt({ pages, version }: PagedList, cursor: unknown): ToolsReply | undefined {
  if (cursor === undefined) return pages[0];
  const [of, index] = typeof cursor === 'string' ? cursor.split('.') : [];
  return of === version && index !== undefined && /^\d+$/.test(index) ? pages[Number(index)] : undefined;
}

function paged(key: string, items: readonly JsonObject[]): PagedList {
  const hash = createHash('sha256');
  const groups: JsonObject[][] = [[]];
  let bytes = 0;
  for (const item of items) {
    const json = jsonOf(item);
    hash.update(json);
    if (bytes > 0 && bytes + json.length > PAGE_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(item);
    bytes += json.length;
  }
  const version = hash.digest('base64url').slice(0, 16);
  const pages = groups.map((group, index): ToolsReply => ({
    [key]: group,
    ...(index + 1 < groups.length ? { nextCursor: `${version}.${index + 1}` } : {}),
  }));
  return { pages, version };
}
