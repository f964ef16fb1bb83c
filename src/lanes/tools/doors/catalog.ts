import type { JsonObject } from '../../../core/json.ts';
import type { Access } from '../../../access/permit.ts';
import type { SearchConfig, VirtualServerConfig } from '../../../config/types.ts';
import { compileGlob } from '../../../core/conditions.ts';
import type { Consumer } from '../../../core/consumer.ts';
import type { Problem } from '../../../core/contracts/resource.ts';
import type { Profile } from '../../../core/tools.ts';
import { VERSION } from '../../../core/version.ts';
import type { Chain } from '../../../pipeline/chain.ts';
import { NO_SEARCH, searchSettings, type SearchSettings } from './search-settings.ts';
import { clientProfile } from '../profiles/client-profile.ts';
import type { SourceEntry } from './source-entry.ts';
import { buildView, type ExposedEntry, type Offer, type View } from './view.ts';
import { selectTools, wholeSource, type ExposedTool } from './virtual-server.ts';

/** Instructions beyond this are cut by clients (client-limits: Claude Code). Bytes. */
const LONGEST_INSTRUCTIONS = 2000;

export interface DoorFacts {
  /** The name in `/mcp/{name}`; empty for `/mcp`. */
  readonly name: string;
  readonly kind: 'root' | 'source' | 'virtual';
  readonly chain: Chain;
  readonly sessions: 'required' | 'optional';
  readonly entries: readonly SourceEntry[];
  /** How tools are written, whoever asks; absent: by the client's name. */
  readonly profile?: Profile;
  /** For a caller; whether there are agents depends on who it is. */
  readonly search?: (consumer: Consumer) => SearchSettings;
}

/** How a door presents itself. */
export interface About {
  readonly title: string;
  readonly instructions: string | undefined;
  readonly icons: readonly JsonObject[] | undefined;
}

/** What a door makes of its sources as they are now. */
interface Made {
  readonly offer: Offer;
  readonly about: About;
  readonly problems: readonly Problem[];
}

/** One URL of the tools lane in one generation. What it offers is computed when first asked for and again after a source has changed. */
export class Door {
  readonly facts: DoorFacts;
  readonly #make: () => Made;
  #made: Made | undefined;
  #serverInfo: string | undefined;
  #views = new Map<Profile, Map<string, View>>();

  constructor(facts: DoorFacts, make: () => Made) {
    this.facts = facts;
    this.#make = make;
  }

  get offer(): Offer {
    return this.#present.offer;
  }

  get about(): About {
    return this.#present.about;
  }

  get problems(): readonly Problem[] {
    return this.#present.problems;
  }

  /** `serverInfo` as JSON: the same in every answer. */
  get serverInfo(): string {
    return (this.#serverInfo ??= this.#describe());
  }

  /**
   * Kept per profile and consumer: names are unique, and groups change by a new generation only. `clientName` is what the client calls itself,
   * and decides nothing but the form of the tools.
   */
  view(consumer: Consumer, clientName?: unknown): View {
    const profile = this.facts.profile ?? clientProfile(clientName);
    let views = this.#views.get(profile);
    if (views === undefined) this.#views.set(profile, (views = new Map()));
    let view = views.get(consumer.name);
    if (view === undefined)
      views.set(consumer.name, (view = buildView(this.offer, consumer, profile, this.facts.search?.(consumer) ?? NO_SEARCH)));
    return view;
  }

  /** Forgets everything that came from the sources. */
  invalidate(): void {
    this.#made = undefined;
    this.#serverInfo = undefined;
    this.#views = new Map();
  }

  get #present(): Made {
    return (this.#made ??= this.#make());
  }

  #describe(): string {
    const { name } = this.facts;
    const { title, icons } = this.about;
    return JSON.stringify({
      name: name === '' ? 'hubgate' : `hubgate-${name}`,
      title,
      version: VERSION,
      ...(icons === undefined ? {} : { icons }),
    });
  }

  get capabilities(): JsonObject {
    const sessions = this.facts.entries.filter((entry) => entry.source.mode === 'session');
    const features = sessions.map((entry) => entry.source.snapshot.features);
    const subscribe = features.some((one) => one.subscribe === true);
    return {
      tools: { listChanged: true },
      // A tool whose entry in the list is shortened can be read in full, whatever its source.
      resources: { listChanged: true, ...(subscribe ? { subscribe } : {}) },
      ...(sessions.length === 0 ? {} : { prompts: { listChanged: true } }),
      ...(features.some((one) => one.completions === true) ? { completions: {} } : {}),
      ...(features.some((one) => one.logging === true) ? { logging: {} } : {}),
    };
  }
}

/** The door of one source: names and URIs untouched. */
export function sourceDoor(entry: SourceEntry): Door {
  const { name, chain, sessions, access, icons, description } = entry;
  return new Door({ name, kind: 'source', chain, sessions, entries: [entry] }, () => ({
    offer: { ...offerOf([entry], wholeSource(entry, false), () => access, false), only: { entry, access } },
    about: { title: titleOf(entry), instructions: cut(entry.source.snapshot.instructions ?? description), icons },
    problems: [],
  }));
}

/** `/mcp`: every source, names with `source_` in front. */
export function rootDoor(
  entries: readonly SourceEntry[],
  chain: Chain,
  config: SearchConfig | undefined,
  mayCallAgents: (consumer: Consumer) => boolean,
): Door {
  const plain = searchSettings(config);
  const withAgents = searchSettings(config, true);
  const search = (consumer: Consumer): SearchSettings => (mayCallAgents(consumer) ? withAgents : plain);
  return new Door({ name: '', kind: 'root', chain, sessions: 'required', entries, search }, () => {
    const tools = entries.flatMap((entry) => wholeSource(entry, true));
    return {
      offer: offerOf(entries, tools, (entry) => entry.access, true),
      about: { title: 'Hubgate', instructions: rootInstructions(entries), icons: undefined },
      problems: unknownPins(plain, tools, entries, '/search'),
    };
  });
}

export function virtualDoor(
  name: string,
  config: VirtualServerConfig,
  access: Access,
  sources: ReadonlyMap<string, SourceEntry>,
  chain: Chain,
): Door {
  const entries = [...new Set(config.tools.map((selection) => sources.get(selection.from)))].filter((entry) => entry !== undefined);
  const { profile, sessions = 'required' } = config;
  const settings = searchSettings(config.search);
  const search = (): SearchSettings => settings;
  return new Door({ name, kind: 'virtual', chain, sessions, entries, search, ...(profile === undefined ? {} : { profile }) }, () => {
    const { tools, problems } = selectTools(name, config, access, sources);
    return {
      offer: narrowed(
        offerOf(entries, tools, () => access, false),
        config,
      ),
      about: {
        title: config.title ?? name,
        instructions: cut(config.instructions ?? config.description),
        icons: config.icons as readonly JsonObject[] | undefined,
      },
      problems: [...problems, ...unknownPins(settings, tools, entries, `/virtual-servers/${name}/search`)],
    };
  });
}

/** Names under `pinned` that no tool has; not before every source could tell. */
function unknownPins({ pinned }: SearchSettings, tools: readonly ExposedTool[], entries: readonly SourceEntry[], at: string): Problem[] {
  if (entries.some(({ source }) => source.snapshot.state !== 'ready')) return [];
  const known = new Set(tools.map(({ tool }) => tool.name));
  return pinned.flatMap((name, index): Problem[] =>
    known.has(name)
      ? []
      : [
          {
            code: 'unknown_tool',
            severity: 'warning',
            pointer: `${at}/pinned/${index}`,
            message: `There is no tool ${name} here to be pinned.`,
          },
        ],
  );
}

function titleOf(entry: SourceEntry): string {
  return entry.source.snapshot.title ?? entry.name;
}

function offerOf(
  entries: readonly SourceEntry[],
  tools: readonly ExposedTool[],
  access: (entry: SourceEntry) => Access,
  prefixed: boolean,
): Offer {
  const expose = (list: 'resources' | 'resourceTemplates' | 'prompts', key: string): ExposedEntry[] => {
    const taken = new Set<string>();
    return entries.flatMap((entry) =>
      entry.source.snapshot[list].flatMap((shown): ExposedEntry[] => {
        const sourceName = String(shown[key]);
        const named = list === 'prompts' && (prefixed || taken.has(sourceName)) ? `${entry.name}_${sourceName}` : sourceName;
        if (taken.has(named)) return [];
        taken.add(named);
        return [{ shown: named === sourceName ? shown : { ...shown, [key]: named }, sourceName, entry, access: access(entry) }];
      }),
    );
  };
  return {
    tools,
    resources: expose('resources', 'uri'),
    resourceTemplates: expose('resourceTemplates', 'uriTemplate'),
    prompts: expose('prompts', 'name'),
    takes: () => true,
  };
}

/** Leaves the resources and prompts that a virtual server chose; all of its sources when it says nothing. */
function narrowed(offer: Offer, config: VirtualServerConfig): Offer {
  const keep = (selections: VirtualServerConfig['resources']): ((one: Pick<ExposedEntry, 'entry' | 'sourceName'>) => boolean) => {
    if (selections === undefined) return () => true;
    const rules = selections.map((selection) => ({
      from: selection.from,
      include: selection.include?.map((pattern) => compileGlob(pattern)),
      exclude: (selection.exclude ?? []).map((pattern) => compileGlob(pattern)),
    }));
    return ({ entry, sourceName }) =>
      rules.some(
        (rule) =>
          rule.from === entry.name &&
          (rule.include === undefined || rule.include.some((matches) => matches(sourceName))) &&
          !rule.exclude.some((matches) => matches(sourceName)),
      );
  };
  const resources = keep(config.resources);
  return {
    tools: offer.tools,
    resources: offer.resources.filter(resources),
    resourceTemplates: offer.resourceTemplates.filter(resources),
    prompts: offer.prompts.filter(keep(config.prompts)),
    takes: (entry, uri) => resources({ entry, sourceName: uri }),
  };
}

function rootInstructions(entries: readonly SourceEntry[]): string | undefined {
  if (entries.length === 0) return undefined;
  const share = Math.floor((LONGEST_INSTRUCTIONS - 100) / entries.length) - 30;
  const lines = entries.map((entry) => {
    const about = entry.source.snapshot.instructions ?? entry.description ?? titleOf(entry);
    return `${entry.name}_*: ${cut(about.split('\n')[0], Math.max(share, 20)) ?? ''}`;
  });
  return cut(`Tools of several sources; the first part of a name says which.\n${lines.join('\n')}`);
}

function cut(text: string | undefined, bytes = LONGEST_INSTRUCTIONS): string | undefined {
  if (text === undefined || text === '' || Buffer.byteLength(text) <= bytes) return text || undefined;
  const whole = Buffer.from(text)
    .subarray(0, bytes - 3)
    .toString('utf8')
    .replace(/�+$/, '');
  return `${whole}…`;
}
