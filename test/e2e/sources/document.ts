import { askAdmin } from '../../support/ask-admin.ts';
import { postModern, type RawAnswer } from '../../support/mcp-clients.ts';
import type { Hub } from '../../support/start-hub.ts';

/** A document whose operations are `GET /NAME`, all at `server`. */
export function documentOf(operations: readonly string[], server?: string, more: object = {}): { readonly openapi: string } {
  return {
    openapi: '3.1.0',
    info: { title: 'Things', version: '1' },
    ...(server !== undefined && { servers: [{ url: server }] }),
    paths: Object.fromEntries(operations.map((name) => [`/${name}`, { get: { operationId: name, responses: {} } }])),
    ...more,
  } as { readonly openapi: string };
}

export async function toolsOf(hub: Hub, server: string): Promise<string[]> {
  const { result } = await postModern(`${hub.url}/mcp/${server}`, 'tools/list');
  return ((result?.tools ?? []) as { name: string }[]).map(({ name }) => name);
}

/** The text of a call's result, failed or not; of a JSON-RPC error its message. */
export async function callText(hub: Hub, server: string, name: string, args: object = {}): Promise<string> {
  return textOf(await postModern(`${hub.url}/mcp/${server}`, 'tools/call', { name, arguments: args as never }));
}

function textOf({ result, error, text }: RawAnswer): string {
  const [content] = (result?.content ?? []) as { text?: string }[];
  return content?.text ?? error?.message ?? text;
}

export interface Source {
  readonly name: string;
  readonly origin: string;
  readonly state: string;
  readonly tools: number;
  readonly error?: string;
}

export async function sourceOf(hub: Hub, name: string): Promise<Source | undefined> {
  const { body } = await askAdmin(hub, 'GET', '/status');
  return (body.sources as Source[]).find((source) => source.name === name);
}
