import { pointerToken } from '../../core/json.ts';
import type { VirtualServerConfig } from '../../config/types.ts';
import { compileGlob } from '../../core/conditions.ts';
import type { Consumer } from '../../core/consumer.ts';
import type { Explanation, ExplanationStep } from '../../core/contracts/resource.ts';
import { explainRules } from '../../pipeline/explain-rules.ts';
import type { ToolsGeneration } from './build.ts';
import type { Door } from './doors/catalog.ts';
import { toolsOf, type SourceEntry } from './doors/source-entry.ts';
import { selectTools, type ExposedTool } from './doors/virtual-server.ts';

/**
 * Tells which rule shows or hides a tool on a door for a consumer, step by step, without calling it. The step of a server or tool
 * that does not exist has the value `{ unknown: 'server' | 'tool', known: names }`.
 */
export async function explainTool(
  generation: ToolsGeneration,
  doorName: string,
  toolName: string,
  consumer: Consumer,
): Promise<Explanation> {
  const { merged } = generation;
  const step: MakeStep = (rule, effect, pointer, value) => {
    const place = pointer === undefined ? undefined : merged.locate(pointer);
    return { rule, effect, ...(place && { file: place.file, line: place.line }), ...(value !== undefined && { value }) };
  };
  const hidden = (...steps: ExplanationStep[]): Explanation => ({ visible: false, callable: false, steps });
  const door = generation.doors.get(doorName);
  if (door === undefined) return hidden(missingDoor(generation, doorName, step));
  const steps: ExplanationStep[] = [step(`server ${doorName === '' ? '/mcp' : doorName} (${door.facts.kind})`, 'info', pointerOf(door))];
  const exposed = door.offer.tools.find((one) => one.tool.name === toolName);
  if (exposed === undefined) return hidden(...steps, ...whyMissing(generation, door, toolName, step));
  steps.push(...provenance(door, exposed, step));
  const { tool, access, accessName } = exposed;
  steps.push(...access.explain(consumer, { ...tool, name: accessName }));
  const { visible, conditions } = access.tool(consumer, { ...tool, name: accessName });
  const ready = exposed.entry.source.snapshot.state === 'ready';
  if (!ready) steps.push(step(`The source ${tool.source} is ${exposed.entry.source.snapshot.state}.`, 'refuses'));
  for (const condition of conditions) steps.push(step(`asked at each call: ${condition.rule}`, 'info'));
  const question = { consumer, lane: 'tools', route: door.facts.name, tool: `${tool.source}.${tool.sourceName}` } as const;
  steps.push(...(await explainRules(door.facts.chain, question)));
  return { visible, callable: visible && ready, steps };
}

type MakeStep = (rule: string, effect: ExplanationStep['effect'], pointer?: string, value?: unknown) => ExplanationStep;

function missingDoor({ merged, doors }: ToolsGeneration, name: string, step: MakeStep): ExplanationStep {
  const { services = {}, servers = {} } = merged.config;
  const known = new Set([...doors.keys(), ...merged.virtualServers.keys(), ...Object.keys(services), ...Object.keys(servers)]);
  if (known.has(name)) return step(`The server ${name} is disabled.`, 'hides');
  return step(`There is no server ${name}.`, 'hides', undefined, { unknown: 'server', known: [...known].filter((one) => one !== '') });
}

function pointerOf(door: Door): string | undefined {
  const { kind, name, entries } = door.facts;
  if (kind === 'virtual') return `/virtual-servers/${name}`;
  return kind === 'source' && entries[0]?.kind === 'service' ? `/services/${name}` : undefined;
}

function provenance(door: Door, { tool }: ExposedTool, step: MakeStep): ExplanationStep[] {
  const operation = tool.operation === undefined ? '' : ` (${tool.operation.method} ${tool.operation.path})`;
  const steps = [step(`tool ${tool.sourceName} of source ${tool.source}${operation}, risk ${tool.risk}`, 'info')];
  if (door.facts.kind === 'virtual' && tool.sourceName !== tool.name) {
    const pointer = `/virtual-servers/${door.facts.name}/overrides/${pointerToken(`${tool.source}.${tool.sourceName}`)}`;
    steps.push(step(`called ${tool.name} here`, 'renames', pointer));
  }
  return steps;
}

function whyMissing({ merged, entries }: ToolsGeneration, door: Door, asked: string, step: MakeStep): ExplanationStep[] {
  const { name, kind } = door.facts;
  const renamed = door.offer.tools.find((one) => one.tool.sourceName === asked);
  if (renamed !== undefined) return [step(`On this server ${asked} of ${renamed.tool.source} is called ${renamed.tool.name}.`, 'renames')];
  const virtual = kind === 'virtual' ? merged.virtualServers.get(name) : undefined;
  const steps = door.facts.entries.flatMap((entry) => {
    const tool = ownName(entry, asked, door, virtual);
    if (tool === undefined) return [];
    if (!toolsOf(entry).some(({ definition }) => definition.name === tool)) return [disabled(entry, tool, step)];
    return virtual === undefined ? [] : unselected(name, virtual, entry, tool, step);
  });
  if (steps.length > 0) return steps;
  if (virtual !== undefined) {
    const others = [...entries.values()].filter((entry) => !door.facts.entries.includes(entry) && has(entry, asked));
    const rule = (source: string) =>
      `The source ${source} has a tool ${asked}, but no selection under tools: takes from it. Add { from: ${source}, include: [${asked}] }.`;
    if (others.length > 0) return others.map((entry) => step(rule(entry.name), 'hides', `/virtual-servers/${name}/tools`));
  }
  const failed = door.facts.entries
    .filter((entry) => entry.source.snapshot.state !== 'ready')
    .map((entry) => `${entry.name} is ${entry.source.snapshot.state}`);
  const suffix = failed.length === 0 ? '' : ` (${failed.join(', ')})`;
  const known = new Set(door.offer.tools.map(({ tool }) => tool.name));
  if (virtual !== undefined)
    for (const entry of door.facts.entries) for (const { definition } of toolsOf(entry)) known.add(definition.name);
  return [step(`No source of this server has a tool ${asked}${suffix}.`, 'hides', pointerOf(door), { unknown: 'tool', known: [...known] })];
}

function has(entry: SourceEntry, name: string): boolean {
  return entry.source.snapshot.tools.some(({ definition }) => definition.name === name);
}

/** What the source calls the tool that is asked for by its name there, by that with a prefix, or by that of an override. */
function ownName(entry: SourceEntry, asked: string, door: Door, virtual: VirtualServerConfig | undefined): string | undefined {
  const prefix = `${entry.name}_`;
  const key = Object.entries(virtual?.overrides ?? {}).find(([of, { name }]) => name === asked && of.startsWith(`${entry.name}.`))?.[0];
  const names = [
    asked,
    ...(door.facts.kind !== 'source' && asked.startsWith(prefix) ? [asked.slice(prefix.length)] : []),
    ...(key === undefined ? [] : [key.slice(entry.name.length + 1)]),
  ];
  return names.find((name) => has(entry, name));
}

function disabled({ name, settings }: SourceEntry, tool: string, step: MakeStep): ExplanationStep {
  const rule = Object.entries(settings ?? {}).find(([pattern, { enabled }]) => enabled !== undefined && compileGlob(pattern)(tool));
  const pointer = rule === undefined ? undefined : `/services/${name}/tools/${pointerToken(rule[0])}`;
  return step(`The source ${name} has a tool ${tool}, but the settings of the source disable it.`, 'hides', pointer);
}

/** Why no selection of a virtual server takes a tool of its source: each with its own place. */
function unselected(server: string, config: VirtualServerConfig, entry: SourceEntry, tool: string, step: MakeStep): ExplanationStep[] {
  const at = `/virtual-servers/${server}`;
  const key = `${entry.name}.${tool}`;
  const hides = (reason: string, pointer: string): ExplanationStep =>
    step(`The source ${entry.name} has a tool ${tool}, but ${reason}.`, 'hides', `${at}${pointer}`);
  if (config.overrides?.[key]?.enabled === false) return [hides('an override disables it', `/overrides/${pointerToken(key)}/enabled`)];
  const takes = (selection: VirtualServerConfig['tools'][number]): boolean =>
    selectTools(server, { tools: [selection] }, entry.access, new Map([[entry.name, entry]])).tools.some(
      (one) => one.tool.sourceName === tool,
    );
  return config.tools.flatMap((selection, index) => {
    if (selection.from !== entry.name) return [];
    const { exclude: _, ...including } = selection;
    if (!takes(including)) return [hides('the include of this selection does not take it', `/tools/${index}/include`)];
    if (!takes(selection)) return [hides('the exclude of this selection drops it', `/tools/${index}/exclude`)];
    return [hides('another tool of this server has its name; overrides can give it one of its own', `/tools/${index}`)];
  });
}
