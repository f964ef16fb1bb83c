import { type JsonObject, isObject } from '../../../core/json.ts';
import type { ToolsReply } from '../../../core/tools.ts';
import type { ViewTool } from '../doors/view.ts';
import { NEXT_PAGE, overlaid } from '../openapi/answers/next-page.ts';

/** A longer call is described by what changes; `_meta` has all of it. */
const LONGEST_LINE = 4000;

/**
 * Completes what a source says of the next page: its arguments that would change become all arguments of another call as this door takes
 * them, in `_meta` and as a line of text. Left out when the door keeps one of them to itself.
 */
export function completeNext(reply: ToolsReply, found: ViewTool, given: unknown): ToolsReply {
  const changes = reply._meta?.[NEXT_PAGE];
  if (!isObject(changes)) return reply;
  const { [NEXT_PAGE]: _, ...meta } = reply._meta ?? {};
  const shown: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(changes)) {
    const name = shownName(key, found);
    if (name === undefined) return without(reply, meta);
    shown[name] = value;
  }
  const next = overlaid(isObject(given) ? given : {}, shown);
  const whole = JSON.stringify(next);
  const text =
    whole.length <= LONGEST_LINE
      ? `More: call again with ${whole}`
      : `More: call again with the same arguments, changed by ${JSON.stringify(shown)}`;
  return { ...reply, content: [...(reply.content ?? []), { type: 'text', text }], _meta: { ...meta, [NEXT_PAGE]: next } };
}

function without(reply: ToolsReply, meta: JsonObject): ToolsReply {
  const { _meta, ...rest } = reply;
  return _meta === undefined || Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta };
}

/** Comes through every form as it is: no JSON, no value of an enum. */
const MARK = '\u0000';

/** The name under which the door takes an argument of the source, found by trying: overrides rename, fix and hide. */
function shownName(key: string, { input, tool }: ViewTool): string | undefined {
  const properties = tool.definition.inputSchema['properties'];
  const names = isObject(properties) ? Object.keys(properties) : [];
  if (input === undefined) return names.includes(key) ? key : undefined;
  return names.find((name) => input({ [name]: MARK })[key] === MARK);
}
