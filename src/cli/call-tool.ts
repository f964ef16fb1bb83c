import { VERSION } from '../core/version.ts';
import type { ToolsReply } from '../core/tools.ts';
import { callRequest, type SampleCall } from './sample-call.ts';
import { CommandError } from './settings.ts';

interface RpcAnswer {
  readonly id?: unknown;
  readonly result?: ToolsReply;
  readonly error?: { readonly code: number; readonly message: string };
}

/** Calls a tool at an MCP endpoint, stateless as of 2026-07-28. Throws CommandError for all that is no result. */
export async function callTool(url: string, call: SampleCall, key: string | undefined): Promise<ToolsReply> {
  const { headers, body } = callRequest(call, { name: 'hubgate-cli', version: VERSION });
  const credential: Record<string, string> = key === undefined ? {} : { Authorization: `Bearer ${key}` };
  const accept = { Accept: 'application/json, text/event-stream' };
  let answer: Response;
  try {
    answer = await fetch(url, { method: 'POST', headers: { ...headers, ...accept, ...credential }, body });
  } catch (error) {
    const { cause } = error as { cause?: NodeJS.ErrnoException };
    throw new CommandError(
      `${url} cannot be reached (${cause?.code ?? (error as Error).message}). Is the hub running there? HUBGATE_URL names another.`,
    );
  }
  const text = await answer.text();
  if (answer.status === 401)
    throw new CommandError(
      'The hub wants a key of one of its consumers, and HUBGATE_KEY holds none that it takes. "hubgate keys create CONSUMER" makes one.',
    );
  const { result, error } = readRpc(text, answer);
  if (error !== undefined) throw new CommandError(`${error.message} (${error.code})`);
  if (result === undefined) throw new CommandError(`${url} answered ${answer.status} with something that is no result of MCP.`);
  if (result['resultType'] === 'input_required')
    throw new CommandError('The tool asks for more while it works, which the command line cannot answer. Call it from a client.');
  return result;
}

/** The answer itself: JSON, or the last message of an event stream. */
function readRpc(text: string, { headers }: Response): RpcAnswer {
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true;
  const messages = isStream ? text.split(/\r?\n/).flatMap((line) => (line.startsWith('data:') ? [line.slice(5)] : [])) : [text];
  for (const message of messages.toReversed()) {
    try {
      const value = JSON.parse(message) as RpcAnswer | null;
      if (value?.result !== undefined || value?.error !== undefined) return value;
    } catch {
      continue;
    }
  }
  return {};
}
