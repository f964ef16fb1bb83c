import type { JsonObject } from '../../../core/json.ts';
import type { Access } from '../../../access/permit.ts';
import type { ServiceConfig, ToolSettingsConfig } from '../../../config/types.ts';
import { compileGlob } from '../../../core/conditions.ts';
import type { SourceSnapshot, ToolSource } from '../../../core/contracts/tool-source.ts';
import type { SourceTool } from '../../../core/tools.ts';
import { redefined } from '../../../core/tools.ts';
import type { Chain } from '../../../pipeline/chain.ts';
import type { Plan } from '../../../pipeline/forward.ts';

/** A configured tool source in one generation: the source itself, which outlives reloads, and what this configuration says of it. */
export interface SourceEntry {
  readonly name: string;
  readonly kind: 'service' | 'server' | 'agent';
  readonly origin: 'file' | 'store';
  readonly source: ToolSource;
  readonly access: Access;
  readonly chain: Chain;
  /** Its one target. */
  readonly plan: Plan;
  /** When that is left alone, from the moment on at which the generation serves. */
  readonly breaker: ServiceConfig['breaker'];
  /** US dollars for one call of a tool without a price of its own. */
  readonly price: number | undefined;
  readonly description: string | undefined;
  readonly icons: readonly JsonObject[] | undefined;
  readonly sessions: 'required' | 'optional';
  readonly settings: ServiceConfig['tools'];
}

const settled = new WeakMap<SourceEntry, { snapshot: SourceSnapshot; tools: readonly SourceTool[] }>();

/** The tools of a source with the operator's settings applied and disabled ones left out; computed once per snapshot. */
export function toolsOf(entry: SourceEntry): readonly SourceTool[] {
  const { snapshot } = entry.source;
  const known = settled.get(entry);
  if (known?.snapshot === snapshot) return known.tools;
  const rules = Object.entries(entry.settings ?? {}).map(([pattern, settings]) => ({ matches: compileGlob(pattern), settings }));
  const tools: SourceTool[] = [];
  for (const tool of snapshot.tools) {
    const settings = rules.filter((rule) => rule.matches(tool.definition.name)).map((rule) => rule.settings);
    if (first(settings, 'enabled') === false) continue;
    const isAsItCame = settings.length === 0 && entry.icons === undefined && entry.price === undefined;
    tools.push(isAsItCame ? tool : applySettings(tool, settings, entry));
  }
  settled.set(entry, { snapshot, tools });
  return tools;
}

function applySettings(tool: SourceTool, settings: readonly ToolSettingsConfig[], { icons, price: usual }: SourceEntry): SourceTool {
  const { definition } = tool;
  const chosenIcons = first(settings, 'icons') ?? definition.icons ?? icons;
  const title = first(settings, 'title') ?? definition.title;
  const description = first(settings, 'description') ?? definition.description;
  const annotations = first(settings, 'annotations');
  const chosen = first(settings, 'description');
  const { whole } = tool;
  const price = first(settings, 'price') ?? usual;
  return {
    ...tool,
    ...(price === undefined ? {} : { price }),
    ...(whole === undefined || chosen === undefined ? {} : { whole: () => ({ ...whole(), description: chosen }) }),
    risk: first(settings, 'risk') ?? tool.risk,
    definition: redefined(definition, {
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      ...(annotations === undefined ? {} : { annotations: { ...definition.annotations, ...annotations } }),
      ...(chosenIcons === undefined ? {} : { icons: chosenIcons as readonly JsonObject[] }),
    }),
  };
}

function first<K extends keyof ToolSettingsConfig>(settings: readonly ToolSettingsConfig[], key: K): ToolSettingsConfig[K] | undefined {
  return settings.find((one) => one[key] !== undefined)?.[key];
}
