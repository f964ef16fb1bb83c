import { ANONYMOUS } from '../core/consumer.ts';
import type { Degraded, Hit } from '../core/contracts/semantics.ts';
import type { ToolDefinition, ToolsReply } from '../core/tools.ts';
import { findRunningHub, openAdmin, type AdminAccess } from './admin-access.ts';
import { callTool } from './call-tool.ts';
import { mcpUrl } from './connect/mcp-url.ts';
import { degradedText } from './eval-text.ts';
import { columns, note, print, printJson } from './print.ts';
import { asUsage, CommandError, hubUrl, type Settings } from './settings.ts';
import { unknown } from './unknown.ts';

export interface ToolsOptions {
  readonly server?: string;
  readonly as?: string;
  readonly json?: boolean;
}

/** `hubgate tools list`: the tools that a consumer sees. */
export async function listTools({ server, as, json }: ToolsOptions, settings: Settings): Promise<void> {
  const access = await openAdmin(settings);
  try {
    await checkCaller(access, as);
    const { items } = (await access.ask('GET', '/tools', { query: { server, consumer: as } })) as { items: ToolDefinition[] };
    if (json === true) printJson(items);
    else if (items.length === 0)
      note(
        `${as ?? 'The anonymous consumer'} sees no tools ${server === undefined ? 'here' : `on ${server}`}. "hubgate explain tool ${server ?? 'SERVER'} TOOL" says why.`,
      );
    else print(columns(items.map(({ name, title, description }) => [name, firstLine(description ?? title ?? '')])));
  } finally {
    await access.close();
  }
}

type ToolFound = Pick<ToolDefinition, 'name' | 'title'> & Pick<Hit, 'score' | 'words'> & { readonly description: string };

interface ToolsFound {
  readonly tools: readonly ToolFound[];
  readonly degraded?: Degraded;
}

/** `hubgate tools search`: the tools that a consumer would find, the best first. */
export async function searchTools(
  query: string,
  { server, as, top, json }: ToolsOptions & { readonly top?: number },
  settings: Settings,
): Promise<void> {
  const access = await openAdmin(settings);
  try {
    await checkCaller(access, as);
    const found = (await access.ask('GET', '/tools/search', {
      query: { query, server, consumer: as, top: top === undefined ? undefined : String(top) },
    })) as ToolsFound;
    if (json === true) return printJson(found);
    if (found.degraded !== undefined) note(degradedText(found.degraded));
    if (found.tools.length > 0) return print(columns([['', 'tool', 'score', 'words', 'description'], ...found.tools.map(foundRow)]));
    note(
      `No tool that ${as ?? 'the anonymous consumer'} sees ${server === undefined ? 'here' : `on ${server}`} has a word or a meaning in common with this. Say in other words what it shall do; "hubgate tools list" lists all.`,
    );
  } finally {
    await access.close();
  }
}

/** `hubgate tools call`: calls a tool through the running hub, or in this process. Returns 1 when the tool failed. */
export async function callOneTool(name: string, args: string, { server, as, json }: ToolsOptions, settings: Settings): Promise<number> {
  const call = { name, arguments: readArguments(args) };
  const result =
    (await findRunningHub(settings)) === undefined
      ? await callInProcess(call, { server, as }, settings)
      : await callRunning(call, { server, as }, settings);
  if (json === true) printJson(result);
  else if (result.isError === true) note(textOf(result));
  else print(textOf(result));
  return result.isError === true ? 1 : 0;
}

type Call = { readonly name: string; readonly arguments: { readonly [key: string]: unknown } };
type Where = { readonly server: string | undefined; readonly as: string | undefined };

/** The key says who calls a running hub, and the command line has none but the one it is given. */
async function callRunning(call: Call, { server, as }: Where, settings: Settings): Promise<ToolsReply> {
  const key = settings.env.HUBGATE_KEY || undefined;
  if (as !== undefined && key === undefined) {
    throw new CommandError(
      `The hub is running, and takes a key of ${as}, not the name. Make one with "hubgate keys create ${as}", put it into HUBGATE_KEY, and call again without --as.`,
    );
  }
  // Whose key it is only the hub can tell: a call would be made, and recorded, as somebody else than --as says.
  if (as !== undefined)
    throw new CommandError('The hub is running, so the key in HUBGATE_KEY says who calls, and --as cannot. Leave one of them out.', 2);
  return callTool(await asUsage(() => mcpUrl(hubUrl(settings), server)), call, key);
}

async function callInProcess(call: Call, { server, as }: Where, settings: Settings): Promise<ToolsReply> {
  const access = await openAdmin(settings);
  const { hub } = access;
  try {
    if (hub === undefined) throw new CommandError('A hub has just been started. Call again.');
    await checkCaller(access, as);
    if (settings.env.HUBGATE_KEY) note(`No hub is running, so the call is made here as ${as ?? 'anonymous'}; HUBGATE_KEY is not used.`);
    const { actAs } = await import('../gateway/act-as.ts');
    const door = await actAs(hub, hub.admin.consumer(as));
    try {
      return await callTool(await asUsage(() => mcpUrl(door.url, server)), call, door.key);
    } finally {
      await door.close();
    }
  } finally {
    await access.close();
  }
}

/** With consumers nobody is anonymous: says who there is. */
export async function checkCaller({ ask }: AdminAccess, as: string | undefined): Promise<void> {
  const { items } = (await ask('GET', '/consumers')) as { items: { name: string }[] };
  const names = items.map(({ name }) => name);
  if (as === undefined && names.length > 0) throw new CommandError(`Say for whom: --as CONSUMER. There are ${names.join(', ')}.`);
  // Whether somebody may be anonymous is the hub's to say.
  if (as !== undefined && as !== ANONYMOUS.name && !names.includes(as)) throw new CommandError(unknown('consumer', as, names));
}

function readArguments(text: string): Call['arguments'] {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Call['arguments'];
  } catch {
    // Told below, with the other ways to be wrong.
  }
  throw new CommandError(`--args takes a JSON object, such as --args '{"limit": 5}'.`, 2);
}

function textOf({ content = [], structuredContent }: ToolsReply): string {
  const parts = content.map((block) => {
    if (block.type === 'text') return block.text;
    if (block.type === 'resource_link') return block.uri;
    return `[${block.type}${'mimeType' in block ? ` ${String(block['mimeType'])}` : ''}; --json shows it]`;
  });
  return parts.length === 0 && structuredContent !== undefined ? JSON.stringify(structuredContent, null, 2) : parts.join('\n');
}

function foundRow({ name, title, description, score, words }: ToolFound, at: number): string[] {
  return [`${at + 1}.`, name, score.toFixed(2), words.join(' ') || '—', firstLine(description || (title ?? ''))];
}

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
