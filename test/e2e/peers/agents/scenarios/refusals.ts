import { failure, say, taskOf } from '../conversation.ts';
import type { Scenario, Scene } from './scenario.ts';

const NONE = { id: 'no-such-task', tenant: '', metadata: {} };

export const REFUSALS: readonly Scenario[] = [
  {
    name: 'error: unknown task',
    run: async ({ client, options }) => ({
      get: await failure(client.getTask(NONE, options)),
      cancel: await failure(client.cancelTask(NONE, options)),
      subscribe: await failure(client.resubscribeTask(NONE, options)),
      message: await failure(client.sendMessage(say('hello', { message: { taskId: NONE.id } }), options)),
    }),
  },
  {
    name: 'error: cancel what has ended',
    async run({ client, options }) {
      const { id } = taskOf(await client.sendMessage(say('fail'), options));
      return await failure(client.cancelTask({ id, tenant: '', metadata: {} }, options));
    },
  },
  {
    name: 'error: a message to what has ended',
    async run({ client, options }) {
      const { id, contextId } = taskOf(await client.sendMessage(say('fail'), options));
      return await failure(client.sendMessage(say('hello', { message: { taskId: id, contextId } }), options));
    },
  },
  { name: 'error: version not supported', run: (scene) => post(scene, SEND[key(scene)], { message: MESSAGE }, { 'a2a-version': '9.9' }) },
  {
    name: 'error: unknown method',
    // What HTTP servers put into the body of a 404 is theirs.
    async run(scene) {
      const { status, code } = await post(scene, { method: 'Nonsense', path: '/nonsense' }, {});
      return scene.speech.binding === 'JSONRPC' ? { status, code } : { status };
    },
  },
  { name: 'error: no message', run: (scene) => post(scene, SEND[key(scene)], {}) },
  { name: 'error: not JSON', run: (scene) => post(scene, SEND[key(scene)], '{"jsonrpc": "2.0", ') },
  {
    name: 'error: unknown task, on the wire',
    run: (scene) =>
      post(scene, { method: scene.speech.version === '1.0' ? 'GetTask' : 'tasks/get', path: TASK_PATH[key(scene)] }, { id: NONE.id }),
  },
];

const MESSAGE = { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'hello' }] };
const SEND = {
  '1.0': { method: 'SendMessage', path: '/message:send' },
  '0.3': { method: 'message/send', path: '/v1/message:send' },
};
const TASK_PATH = { '1.0': '/tasks/no-such-task', '0.3': '/v1/tasks/no-such-task' };
const key = ({ speech }: Scene): '1.0' | '0.3' => speech.version;

/** One request without the SDK. Gives what readers go by: the status, the code, the reason. */
async function post(
  { url, speech, door }: Scene,
  { method, path }: { readonly method: string; readonly path: string },
  params: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown>> {
  const isRpc = speech.binding === 'JSONRPC';
  const body = typeof params === 'string' ? params : JSON.stringify(isRpc ? { jsonrpc: '2.0', id: 7, method, params } : params);
  const reads = !isRpc && path.includes('/tasks/');
  const response = await fetch(isRpc ? url : url + path, {
    method: reads ? 'GET' : 'POST',
    headers: {
      authorization: door.authorization,
      'content-type': 'application/json',
      ...(speech.version === '1.0' && { 'a2a-version': '1.0' }),
      ...headers,
    },
    ...(reads ? {} : { body }),
  });
  const text = await response.text();
  const said = isObject(text) ? JSON.parse(text) : {};
  const error = said.error ?? said;
  const details: { reason?: string }[] = error.details ?? (Array.isArray(error.data) ? error.data : []);
  return {
    status: response.status,
    code: error.code,
    ...(error.status !== undefined && { named: error.status }),
    // The specification has reasons for errors of A2A; those of JSON-RPC itself are told by the code.
    ...((!isRpc || error.code > -32_100) && { reason: details.find(({ reason }) => reason !== undefined)?.reason }),
    ...(isRpc && { id: said.id }),
  };
}

const isObject = (text: string): boolean => text.startsWith('{');
