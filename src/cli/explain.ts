import type { Explanation, ExplanationStep } from '../core/contracts/resource.ts';
import { openAdmin, type AdminAccess } from './admin-access.ts';
import { columns, print, printJson } from './print.ts';
import { CommandError, type Settings } from './settings.ts';
import { checkCaller } from './tools.ts';
import { unknown } from './unknown.ts';

interface ExplainOptions {
  readonly as?: string;
  readonly json?: boolean;
}

interface ExplainModelOptions extends ExplainOptions {
  readonly api?: string;
  readonly header?: readonly string[];
  readonly text?: string;
}

interface ExplainAgentOptions extends ExplainOptions {
  readonly skill?: string;
}

/** `hubgate explain tool`: every rule that acted, in order, with its place. Nothing is called. Throws for a consumer, server or tool that does not exist. */
export async function explainTool(server: string, tool: string, options: ExplainOptions, settings: Settings): Promise<void> {
  // `/mcp` stands for the hub's own endpoint, which has no name.
  const explanation = await ask({ server: server === '/mcp' ? '' : server, tool, consumer: options.as }, options, settings);
  const missing = explanation.steps.find(namesNothing)?.value;
  if (missing !== undefined) {
    const on = missing.unknown === 'tool' ? `tool of ${server} called` : 'server';
    throw new CommandError(unknown(on, missing.unknown === 'tool' ? tool : server, missing.known));
  }
  if (options.json !== true) show(`${tool} on ${server}`, explanation, options);
}

/** `hubgate explain model`: which route and target a call would take. Throws for a consumer that does not exist, and when no route takes the model. */
export async function explainModel(model: string, options: ExplainModelOptions, settings: Settings): Promise<void> {
  const { as, api, header, text } = options;
  const explanation = await ask({ model, consumer: as, api, headers: header?.join('\n'), text }, options, settings);
  if (options.json !== true) show(model, explanation, options);
  const missing = explanation.steps.find(namesNothing)?.value;
  if (missing !== undefined) throw new CommandError(unknown('route that takes the model', model, missing.known));
}

/** `hubgate explain agent`: who may call it, and which instances a message would take. Throws for a consumer or an agent that does not exist. */
export async function explainAgent(agent: string, options: ExplainAgentOptions, settings: Settings): Promise<void> {
  const { as, skill } = options;
  const explanation = await ask({ agent, skill, consumer: as }, options, settings, (access) => checkAgent(access, agent));
  if (options.json !== true) show(skill === undefined ? agent : `${skill} of ${agent}`, explanation, options);
}

async function checkAgent(access: AdminAccess, agent: string): Promise<void> {
  const { items } = (await access.ask('GET', '/agents')) as { items: readonly { readonly name: string }[] };
  const names = items.map(({ name }) => name);
  if (!names.includes(agent)) throw new CommandError(unknown('agent', agent, names));
}

async function ask(
  query: Record<string, string | undefined>,
  { as, json }: ExplainOptions,
  settings: Settings,
  check?: (access: AdminAccess) => Promise<void>,
): Promise<Explanation> {
  const access = await openAdmin(settings);
  try {
    await checkCaller(access, as);
    await check?.(access);
    const explanation = (await access.ask('GET', '/explain', { query })) as Explanation;
    if (json === true) printJson(explanation);
    return explanation;
  } finally {
    await access.close();
  }
}

function show(what: string, { visible, callable, steps }: Explanation, { as }: ExplainOptions): void {
  const who = as ?? 'the anonymous consumer';
  print(`${what} for ${who}: ${visible ? 'visible' : 'hidden'}, ${callable ? 'callable' : 'not callable'}`);
  print(
    columns(
      steps.map((step) => [step.effect, describe(step), place(step)]),
      '  ',
    ),
  );
}

type NamesNothing = ExplanationStep & {
  readonly value: { readonly unknown: 'server' | 'tool' | 'model'; readonly known: readonly string[] };
};

/** The step that says that what is asked about is not there at all. */
function namesNothing(step: ExplanationStep): step is NamesNothing {
  return typeof step.value === 'object' && step.value !== null && 'unknown' in step.value && 'known' in step.value;
}

function describe({ rule, value }: ExplanationStep): string {
  // What programs read of a step stands in its rule for people.
  if (typeof value === 'object') return rule;
  return value === undefined ? rule : `${rule} (${typeof value === 'string' ? value : JSON.stringify(value)})`;
}

function place({ file, line }: ExplanationStep): string {
  return file === undefined ? '' : [file, line].filter((part) => part !== undefined).join(':');
}
