import { parseJson, readBody } from '../../../http/body.ts';
import type { Exchange } from '../../../http/mount.ts';
import { wireOf } from '../wires/wires.ts';
import type { Serving } from '../calls/serving.ts';

/** Bytes of a notification: 0.3 sends the whole task. */
const LARGEST_NOTICE = 8_000_000;

/** Takes what an agent says of a task to the address that the hub gave it. Whoever knows the token in it is the agent. */
export async function receivePush(
  exchange: Exchange,
  { agent = '', token = '' }: Readonly<Record<string, string>>,
  { push }: Serving,
): Promise<void> {
  const { req, res } = exchange;
  // Before the body is: nobody else may make the hub hold one.
  if (!(await push.knows(agent, token))) return void res.writeHead(404).end();
  const body = parseJson(await readBody(req, { limit: LARGEST_NOTICE }));
  // Agents send the version that the configuration was made in, or the only one they have: every wire reads both.
  const wire = wireOf('1.0', 'JSONRPC');
  res.writeHead(await push.receive({ agent, token, body, wire })).end();
}
