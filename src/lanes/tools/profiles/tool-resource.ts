import type { JsonObject } from '../../../core/json.ts';
import type { SourceTool } from '../../../core/tools.ts';

const PREFIX = 'hubgate://tools/';

/** Where a tool whose list entry is shortened can be read in full. */
export function toolResourceUri(name: string): string {
  return PREFIX + encodeURIComponent(name);
}

/** The resource as `resources/list` shows it. */
export function toolResource(name: string, cuts: readonly string[]): JsonObject {
  return {
    uri: toolResourceUri(name),
    name: `tool ${name}`,
    title: `${name} in full`,
    description: `The whole definition of the tool ${name}. Its entry in the list leaves out: ${cuts.join('; ')}.`,
    mimeType: 'application/json',
  };
}

/** Contents of the resource: the tool as its source has it, with what the list leaves out. */
export function toolInFull(name: string, tool: SourceTool): JsonObject {
  const { _meta: _, icons: __, ...definition } = tool.definition;
  const text = JSON.stringify({ ...definition, ...tool.whole?.(), name });
  return { contents: [{ uri: toolResourceUri(name), mimeType: 'application/json', text }] };
}
