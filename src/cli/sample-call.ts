import type { JsonObject } from '../core/json.ts';
import type { ToolDefinition } from '../core/tools.ts';

/** A call that can be shown as an example. */
export interface SampleCall {
  readonly name: string;
  readonly arguments: JsonObject;
}

/** The tool that only reads and needs least, with arguments; undefined when there is none that can be called without knowing the service. */
export function sampleCall(tools: readonly ToolDefinition[]): SampleCall | undefined {
  const calls = tools
    .filter(({ annotations }) => annotations?.readOnlyHint === true)
    .map(({ name, inputSchema }) => ({ name, arguments: requiredArguments(inputSchema) }))
    .filter((call): call is SampleCall => call.arguments !== undefined);
  return calls.toSorted((a, b) => Object.keys(a.arguments).length - Object.keys(b.arguments).length)[0];
}

function requiredArguments(schema: JsonObject): JsonObject | undefined {
  const properties = new Map(Object.entries((schema['properties'] ?? {}) as Record<string, JsonObject>));
  const values = ((schema['required'] ?? []) as string[]).map((name): [string, unknown] => [name, easyValue(properties.get(name) ?? {})]);
  return values.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(values);
}

/** A value that is surely right; undefined when one would have to know more. */
function easyValue(schema: JsonObject): unknown {
  const { default: preset, const: only, enum: choices, examples, example, minimum, type, items } = schema;
  const first = [preset, only, (choices as unknown[] | undefined)?.[0], (examples as unknown[] | undefined)?.[0], example].find(
    (value) => value !== undefined && value !== null,
  );
  if (first !== undefined) return first;
  if (type === 'integer' || type === 'number') return typeof minimum === 'number' ? minimum : 1;
  if (type === 'boolean') return true;
  if (type !== 'array') return undefined;
  const item = easyValue((items ?? {}) as JsonObject);
  return item === undefined ? undefined : [item];
}

const REVISION = '2026-07-28';
const META = 'io.modelcontextprotocol';

/** One stateless `tools/call` of MCP 2026-07-28: what any HTTP client sends, without a session. */
export function callRequest(
  call: SampleCall,
  clientInfo?: JsonObject,
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const _meta = {
    [`${META}/protocolVersion`]: REVISION,
    [`${META}/clientCapabilities`]: {},
    ...(clientInfo === undefined ? {} : { [`${META}/clientInfo`]: clientInfo }),
  };
  const params = { name: call.name, arguments: call.arguments, _meta };
  return {
    headers: { 'Content-Type': 'application/json', 'MCP-Protocol-Version': REVISION, 'Mcp-Method': 'tools/call', 'Mcp-Name': call.name },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
  };
}
