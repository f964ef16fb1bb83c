import type { JsonObject } from '../../../src/core/json.ts';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askAdmin } from '../../support/ask-admin.ts';
import { startHub, type Hub } from '../../support/start-hub.ts';

/** What each client calls itself, by the profile that it is given. */
const NAMES = { default: 'claude-ai', openai: 'openai-mcp', gemini: 'gemini-cli-mcp-client', 'copilot-studio': 'mcs' } as const;
type Chosen = keyof typeof NAMES;
const EVERYBODY = Object.keys(NAMES) as Chosen[];
const MODES = ['legacy', { pin: '2026-07-28' }] as const;

const SERVER = 'tools: [{ from: notes }]\n';
const tags = { name: 'tags', in: 'query', schema: { type: 'array', items: { type: 'string' } } };
const note = { type: 'object', properties: { text: { type: 'string' } } };

interface Facts {
  readonly answer: JsonObject;
  readonly parameter: JsonObject;
  readonly more: JsonObject;
}
const FIRST: Facts = { answer: note, parameter: tags, more: {} };
const documentOf = ({ answer, parameter, more }: Facts): string =>
  JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'Notes', version: '1' },
    servers: [{ url: 'http://127.0.0.1:9' }],
    paths: {
      '/notes': {
        get: {
          operationId: 'find',
          parameters: [parameter],
          responses: { 200: { description: 'ok', content: { 'application/json': { schema: answer } } } },
        },
      },
      ...more,
    },
  });

/** A client of the official SDK that listens, with every list that it fetched because it was told to. */
interface Listening {
  readonly profile: Chosen;
  readonly client: Client;
  readonly lists: unknown[];
}

let hub: Hub;
const listening: Listening[] = [];

beforeAll(async () => {
  hub = await startHub({
    files: {
      'hubgate.yaml': 'services: { notes: { spec: documents/notes.json, outputSchemas: true } }\n',
      'documents/notes.json': documentOf(FIRST),
      'virtual-servers/desk.yaml': SERVER,
    },
  });
  for (const profile of EVERYBODY) for (const mode of MODES) listening.push(await listen(profile, mode));
});
afterAll(async () => {
  await Promise.all(listening.map(({ client }) => client.close()));
  await hub?.stop();
});

async function listen(profile: Chosen, mode: (typeof MODES)[number]): Promise<Listening> {
  const lists: unknown[] = [];
  const onChanged = (error: Error | null, tools: unknown): void => void lists.push(error ?? tools);
  const client = new Client(
    { name: NAMES[profile], version: '1' },
    { versionNegotiation: { mode }, listChanged: { tools: { onChanged, debounceMs: 0 } } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(`${hub.url}/mcp/desk`)));
  await client.listTools();
  return { profile, client, lists };
}

/** Edits a file; resolves when the edit is served, which every client that is told hears no later than any other request. */
async function edit(file: string, text: string, isServed: () => Promise<boolean>): Promise<void> {
  await hub.write(file, text);
  await expect.poll(isServed, { timeout: 5000 }).toBe(true);
}

/** Who has fetched another list since the last look, each of them once, and it is the list that is there now. */
async function expectHeard(profiles: readonly Chosen[]): Promise<void> {
  const told = listening.filter(({ profile }) => profiles.includes(profile));
  await expect.poll(() => told.map(({ lists }) => lists.length)).toEqual(told.map(() => 1));
  const heard = listening.filter(({ lists }) => lists.length > 0).map(({ profile, lists }) => [profile, lists.length]);
  expect(heard).toEqual(told.map(({ profile }) => [profile, 1]));
  for (const { client, lists } of told) expect(lists.splice(0)).toEqual([(await client.listTools()).tools]);
}

/** The last document has taken over, with this as the code of a change or the name of a new tool. */
const isServed = (code: string) => async (): Promise<boolean> => {
  const { body } = await askAdmin(hub, 'GET', '/services/notes/report');
  return JSON.stringify(body.changes ?? {}).includes(`"${code}"`);
};

const ANSWER: Facts = { ...FIRST, answer: { type: 'object', properties: { id: { type: 'integer' } } } };
const CONSTRAINT: Facts = { ...ANSWER, parameter: { ...tags, schema: { ...tags.schema, uniqueItems: true } } };
const REQUEST: Facts = { ...CONSTRAINT, parameter: { ...CONSTRAINT.parameter, explode: false } };
const OPERATION: Facts = { ...REQUEST, more: { '/notes/{id}': { delete: { operationId: 'drop', responses: {} } } } };

describe('a document changes', () => {
  it.each<[string, Facts, string, readonly Chosen[]]>([
    ['in its answers: told to all whose form has them', ANSWER, 'output', ['default', 'openai', 'gemini']],
    ['in a constraint: told to the one whose form has it', CONSTRAINT, 'argument_narrowed', ['default']],
    ['in nothing but its requests: told to nobody', REQUEST, 'request', []],
    ['and has another operation: told to everybody', OPERATION, 'drop', EVERYBODY],
  ])('%s', async (_, facts, code, profiles) => {
    await edit('documents/notes.json', documentOf(facts), isServed(code));
    await expectHeard(profiles);
  });
});

describe('profile: of the server changes', () => {
  /** Every client has one form when it is given, whatever its name. */
  const isShown = (schema: JsonObject) => async (): Promise<boolean> => {
    const { tools } = await listening.at(-1)!.client.listTools();
    return JSON.stringify(tools[0]?.inputSchema) === JSON.stringify(schema);
  };
  const shownTo = async (profile: Chosen): Promise<JsonObject> => {
    const { client } = listening.find((one) => one.profile === profile)!;
    return (await client.listTools()).tools[0]!.inputSchema as JsonObject;
  };

  it('to a fixed one, then to another, then to none: told to those whose form is another then', async () => {
    const own = await shownTo('copilot-studio');
    const openai = await shownTo('openai');
    const plain = await shownTo('default');
    await edit('virtual-servers/desk.yaml', `${SERVER}profile: openai\n`, isShown(openai));
    await expectHeard(['default', 'gemini', 'copilot-studio']);
    await edit('virtual-servers/desk.yaml', `${SERVER}profile: default\n`, isShown(plain));
    await expectHeard(EVERYBODY);
    await edit('virtual-servers/desk.yaml', SERVER, isShown(own));
    await expectHeard(['openai', 'gemini', 'copilot-studio']);
  });
});
