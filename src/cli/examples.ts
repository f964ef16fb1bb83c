import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, parse, relative, resolve } from 'node:path';
import type { AskAdmin } from '../admin/client.ts';
import { compileGlob } from '../core/conditions.ts';
import { findRunningHub } from './admin-access.ts';
import { askModel } from './ask-model.ts';
import { EvalProgress } from './eval-progress.ts';
import { ExampleOverlay, type OperationPlace } from './example-overlay.ts';
import { examplePrompt, readExampleAnswer, type AskedTool } from './example-prompt.ts';
import { count, note, print, printJson } from './print.ts';
import { CommandError, hubUrl, type Settings } from './settings.ts';

export interface ExamplesOptions {
  readonly model: string;
  readonly count: number;
  readonly tools?: string;
  readonly write?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** The report of a service, as the admin API gives it. */
interface Report {
  readonly file: string;
  readonly tools: readonly {
    readonly name: string;
    readonly description?: string;
    readonly inputSchema: { readonly properties?: object };
  }[];
  readonly operations: readonly (OperationPlace & { readonly tool?: string; readonly examples?: readonly string[] })[];
}

/** A tool to ask about, with its place in the document. */
interface Candidate extends AskedTool, OperationPlace {}

export interface ToolExamples extends OperationPlace {
  readonly tool: string;
  readonly examples: readonly string[];
}

interface Failure {
  readonly tools: readonly string[];
  readonly message: string;
}

/** Tools of one request: enough to tell them apart, few enough for a small model. */
const BATCH = 5;
/** Requests in a row that fail before it is given up. */
const MOST_FAILURES = 3;

/** `hubgate examples`: asks a model for requests that each tool of a service answers. Returns 1 when some could not be had. */
export async function writeExamples(service: string, options: ExamplesOptions, settings: Settings): Promise<number> {
  const { tools: glob, write, force, json } = options;
  const ask = await findRunningHub(settings);
  if (ask === undefined)
    throw new CommandError('No hub is running here, and a model of the hub is to be asked. Start it with "hubgate serve".');
  const report = (await ask('GET', `/services/${encodeURIComponent(service)}/report`)) as Report;
  const candidates = candidatesOf(report, glob);
  const asked = force === true ? candidates.all : candidates.without;
  const kept = write === true ? await openOverlay(service, report, ask, settings) : undefined;
  if (asked.length === 0) {
    if (json === true) printJson({ service, tools: [], failed: [] });
    else note(nothingToAsk(service, glob, candidates.all.length));
    return candidates.all.length === 0 ? 1 : 0;
  }
  const found: ToolExamples[] = [];
  const keep = async (some: readonly ToolExamples[]): Promise<void> => {
    found.push(...some);
    if (json !== true) for (const one of some) print(shown(one));
    await kept?.add(some);
  };
  const failed = await askForEach(asked, options, settings, keep);
  if (json === true) printJson({ service, ...(kept === undefined ? {} : { file: kept.file }), tools: found, failed });
  else note(summary(found, kept));
  return failed.length === 0 ? 0 : 1;
}

function candidatesOf({ tools, operations }: Report, glob = '*'): { all: Candidate[]; without: Candidate[] } {
  const matches = compileGlob(glob);
  const definitions = new Map(tools.map((tool) => [tool.name, tool]));
  const all: Candidate[] = [];
  const without: Candidate[] = [];
  for (const { tool = '', method, path, examples = [] } of operations) {
    const definition = definitions.get(tool);
    if (definition === undefined || !matches(tool)) continue;
    const { description = '', inputSchema } = definition;
    const one = { name: tool, description, arguments: Object.keys(inputSchema.properties ?? {}), method, path };
    all.push(one);
    if (examples.length === 0) without.push(one);
  }
  return { all, without };
}

function nothingToAsk(service: string, glob: string | undefined, tools: number): string {
  const which = glob === undefined ? '' : ` that matches ${glob}`;
  return tools === 0
    ? `${service} has no tool${which}.`
    : `Every tool of ${service}${which} has example requests. --force asks for others.`;
}

/** Asks for some tools at a time. What fails is told and left out: another run asks for it again. */
async function askForEach(
  tools: readonly Candidate[],
  { model, count: wanted }: ExamplesOptions,
  settings: Settings,
  keep: (some: readonly ToolExamples[]) => Promise<void>,
): Promise<Failure[]> {
  const address = { url: hubUrl(settings), model, key: settings.env.HUBGATE_KEY || undefined };
  const progress = new EvalProgress();
  const failed: Failure[] = [];
  const fail = (names: readonly string[], message: string): void => {
    progress.end();
    failed.push({ tools: names, message });
    note(`No example requests for ${names.join(', ')}: ${message}`);
  };
  let inARow = 0;
  for (let at = 0; at < tools.length && inARow < MOST_FAILURES; at += BATCH) {
    progress.tell(`${at} of ${count(tools.length, 'tool')}`);
    const some = tools.slice(at, at + BATCH);
    let answer: string;
    try {
      answer = await askModel(address, examplePrompt(some, wanted));
    } catch (error) {
      progress.end();
      if (error instanceof CommandError) throw error;
      inARow += 1;
      fail(some.map(({ name }) => name), (error as Error).message); // prettier-ignore
      continue;
    }
    const lists = readExampleAnswer(answer, some, wanted);
    const good = some.flatMap(({ name: tool, method, path }, one) =>
      lists[one]!.length === 0 ? [] : [{ tool, method, path, examples: lists[one]! }],
    );
    const bad = some.filter((_, one) => lists[one]!.length === 0).map(({ name }) => name);
    progress.end();
    if (bad.length > 0) fail(bad, 'the model answered with none that can be used.');
    inARow = good.length === 0 ? inARow + 1 : 0;
    await keep(good);
  }
  if (inARow === MOST_FAILURES) note(`${MOST_FAILURES} requests in a row failed, so no more are made. Run it again to go on.`);
  return failed;
}

interface KeptExamples {
  /** As a person reads it. */
  readonly file: string;
  /** What the operator has to do so that it applies; absent when it does by itself. */
  readonly hint?: string;
  add(some: readonly ToolExamples[]): Promise<void>;
}

/** The overlay beside the document. It is written after every answer, so that nothing is lost when the command is stopped. */
async function openOverlay(service: string, { file }: Report, ask: AskAdmin, { configFile }: Settings): Promise<KeptExamples> {
  const folder = dirname(configFile);
  const document = resolve(folder, file);
  const isBeside = file !== service && existsSync(document);
  const { dir, name } = parse(document);
  const path = isBeside ? join(dir, `${name}.examples.overlay.yaml`) : join(folder, 'openapi-specs', `${service}.examples.overlay.yaml`);
  const display = relative(process.cwd(), path) || path;
  const hint = isBeside ? undefined : await namedOnly(service, ask, relative(folder, path));
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new CommandError(`${display} cannot be read (${error.code}).`);
  });
  const overlay = new ExampleOverlay(text, display, service);
  return {
    file: display,
    ...(hint === undefined ? {} : { hint }),
    async add(some) {
      if (some.length === 0) return;
      for (const { examples, ...place } of some) overlay.put(place, examples);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, overlay.toString());
    },
  };
}

/** A document that lies in no file has nothing beside it: the configuration names its overlays. */
async function namedOnly(service: string, ask: AskAdmin, path: string): Promise<string | undefined> {
  const { origin, config } = (await ask('GET', `/services/${encodeURIComponent(service)}`)) as {
    readonly origin?: string;
    readonly config?: { readonly overlays?: readonly string[] };
  };
  if (origin === 'store')
    throw new CommandError(
      `${service} is a service of the store, which has no overlays: leave --write out, and put what is printed into its document, as x-hubgate-examples of each operation.`,
    );
  if (config?.overlays?.includes(path) === true) return undefined;
  return `It applies when hubgate.yaml names it: services: { ${service}: { overlays: [${path}] } }`;
}

function shown({ tool, method, path, examples }: ToolExamples): string {
  return [`${tool}  ${method} ${path}`, ...examples.map((text) => `  ${text}`)].join('\n');
}

function summary(found: readonly ToolExamples[], kept: KeptExamples | undefined): string {
  const texts = found.reduce((sum, { examples }) => sum + examples.length, 0);
  const made = `${count(texts, 'example request')} for ${count(found.length, 'tool')}`;
  if (kept === undefined) return `${made}; nothing is written without --write.`;
  if (texts === 0) return `${made}; nothing is written.`;
  return [
    `${made}, in ${kept.file}. Read them; what does not fit can be changed or taken out there.`,
    ...(kept.hint === undefined ? [] : [kept.hint]),
  ].join('\n');
}
