import { describe, expect, it } from 'vitest';
import { AgentError, type AgentOperation } from '../../../../../src/core/agents.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { agentError, agentErrorFrom } from '../../../../../src/lanes/agents/wires/agent-errors.ts';
import { GatewayError } from '../../../../../src/core/errors.ts';
import { BINDINGS, VERSIONS, type BindingName, type VersionName } from '../../../../../src/lanes/agents/wires/wire.ts';
import { wireOf } from '../../../../../src/lanes/agents/wires/wires.ts';

const INFO = 'type.googleapis.com/google.rpc.ErrorInfo';
const rpc1 = wireOf('1.0', 'JSONRPC');
const rpc03 = wireOf('0.3', 'JSONRPC');
const rest1 = wireOf('1.0', 'HTTP+JSON');
const rest03 = wireOf('0.3', 'HTTP+JSON');

const SEND_1_0 = {
  message: { messageId: 'm1', role: 'ROLE_USER', parts: [{ text: 'tell me a joke' }], contextId: 'c1' },
  configuration: { acceptedOutputModes: ['text/plain'], returnImmediately: true, historyLength: 3 },
  metadata: { skill: 'joke' },
};
const TASK_1_0 = {
  id: 't1',
  contextId: 'c1',
  status: { state: 'TASK_STATE_INPUT_REQUIRED', message: { messageId: 'm2', role: 'ROLE_AGENT', parts: [{ text: 'Which?' }] } },
  artifacts: [
    {
      artifactId: 'a1',
      parts: [
        { raw: 'aGk=', mediaType: 'text/plain', filename: 'hi.txt' },
        { url: 'https://x/y', mediaType: 'image/png' },
        { data: [1, 2] },
      ],
    },
  ],
  history: [SEND_1_0.message],
};

function post(body: unknown, path = ''): { method: string; path: string; query: URLSearchParams; body: unknown } {
  return { method: 'POST', path, query: new URLSearchParams(), body };
}
const call = (method: string, params: unknown, id: unknown = 1): JsonObject => ({ jsonrpc: '2.0', id, method, params });

describe('1.0 in words of 0.3', () => {
  const SEND = {
    message: { kind: 'message', messageId: 'm1', role: 'user', parts: [{ kind: 'text', text: 'tell me a joke' }], contextId: 'c1' },
    configuration: { acceptedOutputModes: ['text/plain'], historyLength: 3, blocking: false },
    metadata: { skill: 'joke' },
  };
  const TASK = {
    kind: 'task',
    id: 't1',
    contextId: 'c1',
    status: {
      state: 'input-required',
      message: { kind: 'message', messageId: 'm2', role: 'agent', parts: [{ kind: 'text', text: 'Which?' }] },
    },
    artifacts: [
      {
        artifactId: 'a1',
        parts: [
          { kind: 'file', file: { bytes: 'aGk=', mimeType: 'text/plain', name: 'hi.txt' } },
          { kind: 'file', file: { uri: 'https://x/y', mimeType: 'image/png' } },
          { kind: 'data', data: { value: [1, 2] }, metadata: { data_part_compat: true } },
        ],
      },
    ],
    history: [SEND.message],
  };

  it('writes and reads requests', () => {
    expect(rpc03.writeRequest('message/send', SEND_1_0)).toEqual({
      method: 'POST',
      path: '',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'a2a-version': '0.3' },
      body: { jsonrpc: '2.0', id: 1, method: 'message/send', params: SEND },
    });
    expect(rpc03.readRequest(post(call('message/send', SEND, 'x')))).toEqual({ operation: 'message/send', params: SEND_1_0, id: 'x' });
  });

  it('writes and reads tasks', () => {
    expect(rpc03.writeReply('tasks/get', TASK_1_0, 5)).toEqual({
      status: 200,
      contentType: 'application/json',
      body: { jsonrpc: '2.0', id: 5, result: TASK },
    });
    expect(rpc03.readReply('tasks/get', 200, { jsonrpc: '2.0', id: 5, result: TASK })).toEqual(TASK_1_0);
    expect(rpc03.readReply('message/send', 200, { jsonrpc: '2.0', id: 5, result: TASK })).toEqual({ task: TASK_1_0 });
  });

  it.each([
    ['COMPLETED', 'completed', true],
    ['FAILED', 'failed', true],
    ['CANCELED', 'canceled', true],
    ['REJECTED', 'rejected', true],
    ['INPUT_REQUIRED', 'input-required', false],
    ['AUTH_REQUIRED', 'auth-required', false],
    ['WORKING', 'working', false],
    ['SUBMITTED', 'submitted', false],
    ['FUTURE', 'unknown', false],
  ])('says of %s: %s, final: %s', (state, word, final) => {
    const event = { statusUpdate: { taskId: 't', contextId: 'c', status: { state: `TASK_STATE_${state}` } } };
    expect(JSON.parse(rpc03.writeEvent(event, 9))).toEqual({
      jsonrpc: '2.0',
      id: 9,
      result: { kind: 'status-update', taskId: 't', contextId: 'c', status: { state: word }, final },
    });
  });

  it('waits as its caller wants', () => {
    const read = (configuration: JsonObject | undefined): unknown =>
      rpc03.readRequest(post(call('message/send', { message: SEND.message, configuration }))).params['configuration'];
    expect(read(undefined)).toBeUndefined();
    expect(read({})).toEqual({});
    expect(read({ blocking: true })).toEqual({});
    expect(read({ blocking: false })).toEqual({ returnImmediately: true });
    const written = rpc03.writeRequest('message/send', { ...SEND_1_0, configuration: {} })!.body!['params'];
    expect(written).toMatchObject({ configuration: { blocking: true } });
  });

  it('has push configurations in one another', () => {
    const flat = { taskId: 't', id: 'p', url: 'https://c', token: 'x', authentication: { scheme: 'Bearer', credentials: 's' } };
    const nested = { id: 'p', url: 'https://c', token: 'x', authentication: { schemes: ['Bearer'], credentials: 's' } };
    const params = { taskId: 't', pushNotificationConfig: nested };
    expect(rpc03.writeRequest('tasks/pushNotificationConfig/set', flat)!.body!['params']).toEqual(params);
    expect(rpc03.readRequest(post(call('tasks/pushNotificationConfig/set', params))).params).toEqual(flat);
    const ids = { id: 't', pushNotificationConfigId: 'p' };
    expect(rpc03.readRequest(post(call('tasks/pushNotificationConfig/get', ids))).params).toEqual({ taskId: 't', id: 'p' });
    expect(rpc03.readRequest(post(call('tasks/pushNotificationConfig/get', { id: 't' }))).params).toEqual({ taskId: 't' });
    expect(rpc03.writeReply('tasks/pushNotificationConfig/list', { configs: [flat] }, 1).body!['result']).toEqual([params]);
    expect(rpc03.writeReply('tasks/pushNotificationConfig/delete', {}, 1).body).toEqual({ jsonrpc: '2.0', id: 1, result: null });
    const { taskId: _, ...config } = flat;
    const sent = rpc03.writeRequest('message/send', { ...SEND_1_0, configuration: { taskPushNotificationConfig: config } })!;
    expect(sent.body!['params']).toMatchObject({ configuration: { pushNotificationConfig: nested } });
  });

  it('asks for the extended card without params', () => {
    expect(rpc03.writeRequest('agent/card', {})!.body).toEqual({ jsonrpc: '2.0', id: 1, method: 'agent/getAuthenticatedExtendedCard' });
    const asked = { jsonrpc: '2.0', id: 1, method: 'agent/getAuthenticatedExtendedCard' };
    expect(rpc03.readRequest(post(asked))).toEqual({ operation: 'agent/card', params: {}, id: 1 });
  });
});

describe('0.3 over HTTP+JSON', () => {
  const SEND = {
    message: { messageId: 'm1', role: 'ROLE_USER', contextId: 'c1', content: [{ text: 'tell me a joke' }] },
    configuration: { acceptedOutputModes: ['text/plain'], historyLength: 3 },
    metadata: { skill: 'joke' },
  };

  it('is protobuf JSON', () => {
    expect(rest03.writeRequest('message/send', SEND_1_0)).toEqual({
      method: 'POST',
      path: '/v1/message:send',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'a2a-version': '0.3' },
      body: SEND,
    });
    expect(rest03.readRequest(post(SEND, '/v1/message:send')).params).toEqual(SEND_1_0);
    expect(rest03.writeReply('message/send', { task: TASK_1_0 }, null)).toEqual({
      status: 201,
      contentType: 'application/json',
      body: {
        task: {
          ...TASK_1_0,
          status: { state: 'TASK_STATE_INPUT_REQUIRED', message: { messageId: 'm2', role: 'ROLE_AGENT', content: [{ text: 'Which?' }] } },
          artifacts: [
            {
              artifactId: 'a1',
              parts: [
                { file: { fileWithBytes: 'aGk=', mimeType: 'text/plain', name: 'hi.txt' } },
                { file: { fileWithUri: 'https://x/y', mimeType: 'image/png' } },
                { data: { data: { value: [1, 2] } }, metadata: { data_part_compat: true } },
              ],
            },
          ],
          history: [{ messageId: 'm1', role: 'ROLE_USER', contextId: 'c1', content: [{ text: 'tell me a joke' }] }],
        },
      },
    });
  });

  it('spells one state in its own way', () => {
    const task = { id: 't', contextId: 'c', status: { state: 'TASK_STATE_CANCELED' } };
    const { body } = rest03.writeReply('tasks/cancel', task, null);
    expect(body).toMatchObject({ status: { state: 'TASK_STATE_CANCELLED' } });
    expect(rest03.readReply('tasks/cancel', 200, body)).toEqual(task);
  });

  it('waits unless it is told not to: protobuf leaves out what is false', () => {
    const message = { messageId: 'm', role: 'ROLE_USER', content: [{ text: 'x' }] };
    const read = (configuration?: JsonObject): unknown =>
      rest03.readRequest(post({ message, configuration }, '/v1/message:send')).params['configuration'];
    expect(read({ blocking: true, historyLength: 1 })).toEqual({ historyLength: 1 });
    expect(read({ historyLength: 1 })).toEqual({ historyLength: 1, returnImmediately: true });
    expect(read()).toBeUndefined();
    expect(rest03.writeRequest('message/send', { message: SEND_1_0.message })!.body).toMatchObject({ configuration: { blocking: true } });
  });

  it('reads what a2a-python sends', () => {
    const request = { message_id: 'm', role: 'ROLE_USER', context_id: 'c', content: [{ file: { file_with_uri: 'u', mime_type: 'a/b' } }] };
    const body = { request, configuration: { blocking: true, history_length: 2, push_notification: { url: 'https://c' } } };
    expect(rest03.readRequest(post(body, '/v1/message:send')).params).toEqual({
      message: { messageId: 'm', role: 'ROLE_USER', contextId: 'c', parts: [{ url: 'u', mediaType: 'a/b' }] },
      configuration: { historyLength: 2, taskPushNotificationConfig: { url: 'https://c' } },
    });
    const msg = { messageId: 'm', role: 'ROLE_AGENT', content: [{ text: 'x' }] };
    expect(rest03.readReply('message/send', 200, { msg })).toEqual({
      message: { messageId: 'm', role: 'ROLE_AGENT', parts: [{ text: 'x' }] },
    });
    expect(
      rest03.readEvent({ status_update: { task_id: 't', context_id: 'c', status: { state: 'TASK_STATE_WORKING', update: msg } } }),
    ).toMatchObject({
      statusUpdate: { taskId: 't', contextId: 'c', status: { message: { parts: [{ text: 'x' }] } } },
    });
    const config = {
      parent: 'tasks/t',
      config_id: 'p',
      config: { name: 'tasks/t/pushNotificationConfigs/', push_notification_config: { url: 'https://c' } },
    };
    expect(rest03.readRequest(post(config, '/v1/tasks/t/pushNotificationConfigs')).params).toEqual({
      taskId: 't',
      id: 'p',
      url: 'https://c',
    });
    expect(rest03.readRequest(post(null, '/v1/tasks/t:cancel'))).toMatchObject({ operation: 'tasks/cancel', params: { id: 't' } });
  });

  it('takes a card of 0.3 as agents send it', () => {
    const card = { name: 'A', url: 'https://a', protocolVersion: '0.3.0', preferredTransport: 'HTTP+JSON', skills: [] };
    const key = { type: 'apiKey', in: 'header', name: 'k' };
    const proto = { apiKeySecurityScheme: { location: 'header', name: 'k' } };
    const asWritten = rest03.readReply('agent/card', 200, { ...card, securitySchemes: { key } });
    expect(asWritten).toMatchObject({ name: 'A', securitySchemes: { key: proto } });
    const asProto = rest03.readReply('agent/card', 200, {
      ...card,
      securitySchemes: { key: proto },
      security: [{ schemes: { key: { list: [] } } }],
    });
    expect(asProto).toMatchObject({ securitySchemes: { key: proto }, securityRequirements: [{ schemes: { key: { list: [] } } }] });
  });
});

describe('the addresses of HTTP+JSON', () => {
  it.each([
    ['GET', '/tasks/t1?historyLength=0', 'tasks/get', { id: 't1', historyLength: 0 }],
    ['GET', '/tasks/a%2Fb', 'tasks/get', { id: 'a/b' }],
    ['GET', '/tasks/a:b', 'tasks/get', { id: 'a:b' }],
    ['GET', '/tasks', 'tasks/list', {}],
    [
      'GET',
      '/tasks?status=TASK_STATE_WORKING&pageSize=5&includeArtifacts=true&contextId=',
      'tasks/list',
      { status: 'TASK_STATE_WORKING', pageSize: 5, includeArtifacts: true },
    ],
    ['POST', '/tasks/t1:cancel', 'tasks/cancel', { id: 't1' }],
    ['GET', '/tasks/t1:subscribe', 'tasks/resubscribe', { id: 't1' }],
    ['POST', '/tasks/t1:subscribe', 'tasks/resubscribe', { id: 't1' }],
    ['GET', '/tasks/t1/pushNotificationConfigs', 'tasks/pushNotificationConfig/list', { taskId: 't1' }],
    ['GET', '/tasks/t1/pushNotificationConfigs/p', 'tasks/pushNotificationConfig/get', { taskId: 't1', id: 'p' }],
    ['DELETE', '/tasks/t1/pushNotificationConfigs/p', 'tasks/pushNotificationConfig/delete', { taskId: 't1', id: 'p' }],
    ['GET', '/extendedAgentCard', 'agent/card', {}],
    ['GET', '/blue/extendedAgentCard', 'agent/card', { tenant: 'blue' }],
    ['GET', '/extendedAgentCard?tenant=blue', 'agent/card', { tenant: 'blue' }],
    ['GET', '/a%20b/tasks/t1', 'tasks/get', { tenant: 'a b', id: 't1' }],
    ['POST', '/blue/tasks/t1:cancel', 'tasks/cancel', { tenant: 'blue', id: 't1' }],
  ])('1.0 %s %s is %s', (method, address, operation, params) => {
    const { pathname: path, searchParams: query } = new URL(`http://x${address}`);
    expect(rest1.readRequest({ method, path, query, body: undefined })).toEqual({ operation, params, id: null });
  });

  it.each([
    ['GET', '/v1/tasks/t1?history_length=2', 'tasks/get', { id: 't1', historyLength: 2 }],
    ['GET', '/v1/tasks/t1?tenant=blue', 'tasks/get', { id: 't1' }],
    ['GET', '/v1/card', 'agent/card', {}],
    ['GET', '/v1/tasks/t1:subscribe', 'tasks/resubscribe', { id: 't1' }],
  ])('0.3 %s %s is %s', (method, address, operation, params) => {
    const { pathname: path, searchParams: query } = new URL(`http://x${address}`);
    expect(rest03.readRequest({ method, path, query, body: undefined })).toEqual({ operation, params, id: null });
  });

  it.each<[VersionName, string, string]>([
    ['1.0', 'GET', '/message:send'],
    ['1.0', 'GET', '/v1/message:send'],
    ['1.0', 'POST', '/tasks'],
    ['1.0', 'DELETE', '/tasks/t1'],
    ['1.0', 'GET', '/tasks/t1:cancel'],
    ['1.0', 'GET', '/tasks/'],
    ['1.0', 'GET', '/tasks/t/pushNotificationConfigs/p/q'],
    ['1.0', 'GET', '/'],
    ['1.0', 'GET', ''],
    ['0.3', 'POST', '/message:send'],
    ['0.3', 'GET', '/v1/tasks'],
    ['0.3', 'GET', '/v1/extendedAgentCard'],
  ])('%s has nothing at %s %s', (version, method, path) => {
    const read = (): unknown => wireOf(version, 'HTTP+JSON').readRequest({ method, path, query: new URLSearchParams(), body: {} });
    expect(read).toThrow(expect.objectContaining({ code: -32601 }));
  });

  it('puts tenant and body where 1.0 wants them', () => {
    expect(rest1.writeRequest('tasks/list', { tenant: 'a b', pageSize: 3, status: 'TASK_STATE_WORKING' })).toEqual({
      method: 'GET',
      path: '/a%20b/tasks?pageSize=3&status=TASK_STATE_WORKING',
      headers: { accept: 'application/a2a+json, application/json', 'a2a-version': '1.0' },
      body: undefined,
    });
    expect(rest1.writeRequest('tasks/cancel', { id: 't', metadata: { a: 1 } })).toMatchObject({
      path: '/tasks/t:cancel',
      body: { metadata: { a: 1 } },
    });
    expect(rest1.writeRequest('message/stream', SEND_1_0)).toMatchObject({
      path: '/message:stream',
      headers: { accept: 'text/event-stream, application/a2a+json, application/json' },
      body: SEND_1_0,
    });
  });

  it.each<[AgentOperation, VersionName, number]>([
    ['message/send', '1.0', 200],
    ['message/send', '0.3', 201],
    ['tasks/pushNotificationConfig/set', '1.0', 201],
    ['tasks/pushNotificationConfig/set', '0.3', 201],
    ['tasks/pushNotificationConfig/delete', '1.0', 204],
    ['tasks/get', '0.3', 200],
  ])('%s of %s answers %i', (operation, version, status) => {
    expect(wireOf(version, 'HTTP+JSON').writeReply(operation, {}, null).status).toBe(status);
  });

  it('answers 1.0 in its media type', () => {
    expect(rest1.writeReply('tasks/get', { id: 't' }, null).contentType).toBe('application/a2a+json');
    expect(rest1.writeEvent({ task: { id: 't' } }, null)).toBe('{"task":{"id":"t"}}');
    expect(rest1.readId({ id: 3 })).toBeNull();
  });
});

describe('requests that are refused', () => {
  const message = { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'x' }] };

  it.each([
    [[], -32600, 'batches'],
    ['text', -32600, 'JSON object'],
    [{ id: 1, method: 'GetTask', params: {} }, -32600, 'jsonrpc'],
    [{ jsonrpc: '2.0', id: 1.5, method: 'GetTask', params: {} }, -32600, 'id'],
    [{ jsonrpc: '2.0', id: {}, method: 'GetTask', params: {} }, -32600, 'id'],
    [{ jsonrpc: '2.0', id: 1, params: {} }, -32600, 'method'],
    [call('Nothing', {}), -32601, 'Nothing'],
    [call('toString', {}), -32601, 'toString'],
    [call('message/send', { message }), -32601, 'A2A-Version: 0.3'],
    [call('GetTask', undefined), -32602, 'params'],
    [call('GetTask', [1]), -32602, 'params'],
  ])('as JSON-RPC: %j', (body, code, words) => {
    expect(() => rpc1.readRequest(post(body))).toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) }));
  });

  it.each<[AgentOperation, JsonObject, string]>([
    ['message/send', {}, 'message'],
    ['message/send', { message: 'hi' }, 'message'],
    ['message/send', { message: { ...message, messageId: '' } }, 'message.messageId'],
    ['message/send', { message: { ...message, messageId: 1 } }, 'message.messageId'],
    ['message/send', { message: { ...message, role: 'user' } }, 'message.role'],
    ['message/send', { message: { ...message, parts: [] } }, 'message.parts'],
    ['message/send', { message: { ...message, parts: 'x' } }, 'message.parts'],
    ['message/send', { message: { ...message, parts: [{ text: 'x' }, 'y'] } }, 'message.parts[1]'],
    ['message/send', { message: { ...message, parts: [{}] } }, 'message.parts[0]'],
    ['message/send', { message: { ...message, parts: [{ text: 'x', url: 'y' }] } }, 'message.parts[0]'],
    ['message/send', { message: { ...message, parts: [{ text: 1 }] } }, 'message.parts[0].text'],
    ['message/send', { message: { ...message, taskId: 7 } }, 'message.taskId'],
    ['message/send', { message: { ...message, contextId: {} } }, 'message.contextId'],
    ['message/send', { message: { ...message, extensions: [1] } }, 'message.extensions'],
    ['message/send', { message, metadata: [] }, 'metadata'],
    ['message/stream', { message, configuration: { historyLength: -1 } }, 'configuration.historyLength'],
    ['message/stream', { message, configuration: { returnImmediately: 'yes' } }, 'configuration.returnImmediately'],
    ['message/send', { message, configuration: { taskPushNotificationConfig: {} } }, 'configuration.taskPushNotificationConfig.url'],
    ['tasks/get', {}, 'id'],
    ['tasks/get', { id: 't', historyLength: '3' }, 'historyLength'],
    ['tasks/cancel', { id: 3 }, 'id'],
    ['tasks/resubscribe', {}, 'id'],
    ['tasks/list', { pageSize: 0 }, 'pageSize'],
    ['tasks/list', { pageSize: 101 }, 'pageSize'],
    ['tasks/list', { status: 'working' }, 'status'],
    ['tasks/list', { statusTimestampAfter: 'yesterday' }, 'statusTimestampAfter'],
    ['tasks/list', { includeArtifacts: 1 }, 'includeArtifacts'],
    ['tasks/pushNotificationConfig/set', { taskId: 't' }, 'url'],
    ['tasks/pushNotificationConfig/set', { url: 'https://c' }, 'taskId'],
    ['tasks/pushNotificationConfig/get', { taskId: 't' }, 'id'],
    ['tasks/pushNotificationConfig/delete', { id: 'p' }, 'taskId'],
    ['tasks/pushNotificationConfig/list', {}, 'taskId'],
    ['agent/card', { tenant: 5 }, 'tenant'],
  ])('%s with %j names the field %s', (operation, params, field) => {
    const { method } = rpc1.writeRequest(operation, {})!.body as { method: string };
    const read = (): unknown => rpc1.readRequest(post(call(method, params)));
    expect(read).toThrow(
      expect.objectContaining({
        code: -32602,
        message: expect.stringMatching(new RegExp(`^${field.replaceAll(/[[\].]/g, String.raw`\$&`)}: `)),
        details: [expect.objectContaining({ metadata: { field } })],
      }),
    );
  });

  it.each([{ kind: 'video', url: 'x' }, { text: 'no kind' }, { kind: 'file' }, { kind: 'file', file: {} }])(
    '0.3 has no part %j',
    (part) => {
      const params = { message: { kind: 'message', messageId: 'm', role: 'user', parts: [part] } };
      const read = (): unknown => rpc03.readRequest(post(call('message/send', params)));
      expect(read).toThrow(expect.objectContaining({ code: -32602, message: expect.stringContaining('message.parts[0]') }));
    },
  );

  it('names a method of the other version', () => {
    const read = (): unknown => rpc03.readRequest(post(call('SendMessage', { message })));
    expect(read).toThrow(expect.objectContaining({ code: -32601, message: expect.stringContaining('A2A-Version: 1.0') }));
  });

  it('takes a notification for a request without an id', () => {
    expect(rpc1.readRequest(post({ jsonrpc: '2.0', method: 'GetTask', params: { id: 't' } })).id).toBeNull();
    expect(rpc1.readId({ id: 'x', broken: true })).toBe('x');
    expect(rpc1.readId({ id: [] })).toBeNull();
    expect(rpc1.readId('text')).toBeNull();
  });
});

describe('errors', () => {
  const metadata = { taskId: 't' };
  const error = agentError('TaskNotFound', 'No task t.', metadata);
  const info = { '@type': INFO, reason: 'TASK_NOT_FOUND', domain: 'a2a-protocol.org', metadata };

  it('are written as each wire has them', () => {
    const rpcBody = { jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'No task t.', data: [info] } };
    expect(rpc1.writeError(error, 1)).toEqual({ status: 200, contentType: 'application/json', body: rpcBody });
    expect(JSON.parse(rpc1.writeStreamError(error, 1))).toEqual(rpcBody);
    expect(rpc03.writeError(error, 1).body).toEqual({ jsonrpc: '2.0', id: 1, error: { code: -32001, message: 'No task t.' } });
    const status = { error: { code: 404, status: 'NOT_FOUND', message: 'No task t.', details: [info] } };
    expect(rest1.writeError(error, null)).toEqual({ status: 404, contentType: 'application/a2a+json', body: status });
    expect(JSON.parse(rest1.writeStreamError(error, null))).toEqual(status);
    const plain = { code: -32001, message: 'No task t.' };
    expect(rest03.writeError(error, null)).toEqual({ status: 404, contentType: 'application/json', body: plain });
    expect(rest03.writeError(agentError('MethodNotFound'), null).status).toBe(501);
  });

  it.each(VERSIONS.flatMap((version) => BINDINGS.map((binding): [VersionName, BindingName] => [version, binding])))(
    'come through %s %s, in an answer and in a stream',
    (version, binding) => {
      const wire = wireOf(version, binding);
      for (const name of ['TaskNotCancelable', 'UnsupportedOperation', 'ExtensionSupportRequired', 'VersionNotSupported'] as const) {
        const sent = agentError(name, 'Words.');
        const { status, body } = wire.writeError(sent, 1);
        const heard = expect.objectContaining({ name: 'AgentError', code: sent.code, message: 'Words.', outcome: sent.outcome });
        expect(() => wire.readReply('tasks/get', status, body)).toThrow(heard);
        expect(() => wire.readEvent(JSON.parse(wire.writeStreamError(sent, 1)))).toThrow(heard);
      }
    },
  );

  it('have their ErrorInfo in 1.0, whoever raised them', () => {
    const foreign = new AgentError(-32002, 'Done.', [{ hint: 1 }]);
    expect(rpc1.writeError(foreign, 1).body).toMatchObject({ error: { data: [{ reason: 'TASK_NOT_CANCELABLE' }, { hint: 1 }] } });
    expect(rpc03.writeError(foreign, 1).body).toMatchObject({ error: { data: { hint: 1 } } });
    const own = new AgentError(-32099, 'Mine.');
    expect(rpc1.writeError(own, 1).body).toEqual({ jsonrpc: '2.0', id: 1, error: { code: -32099, message: 'Mine.' } });
    expect(rest1.writeError(own, null).body).toEqual({ error: { code: 400, status: 'INVALID_ARGUMENT', message: 'Mine.', details: [] } });
  });

  it('of the hub keep their HTTP status', () => {
    const limit = agentErrorFrom(new GatewayError('limit_exceeded'));
    expect(VERSIONS.flatMap((version) => BINDINGS.map((binding) => wireOf(version, binding).writeError(limit, 1).status))).toEqual([
      429, 429, 429, 429,
    ]);
  });

  it('of an agent keep code, message and data', () => {
    const read = (): unknown =>
      rpc03.readReply('tasks/get', 200, { jsonrpc: '2.0', id: 1, error: { code: -32050, message: 'own', data: { a: 1 } } });
    expect(read).toThrow(expect.objectContaining({ code: -32050, message: 'own', details: [{ a: 1 }], outcome: 'bad_request' }));
  });

  it.each<[string, unknown, number, JsonObject]>([
    [
      'ErrorInfo',
      { error: { code: 400, message: 'x', details: [{ '@type': INFO, reason: 'TASK_NOT_CANCELABLE', domain: 'a2a-protocol.org' }] } },
      400,
      { code: -32002 },
    ],
    ['no details', { error: { code: 404, status: 'NOT_FOUND', message: 'x' } }, 404, { code: -32001 }],
    ['a code of JSON-RPC', { error: { code: -32005, message: 'x' } }, 400, { code: -32005 }],
    ['the type of a2a-python', { message: 'x', type: 'TaskNotCancelableError' }, 409, { code: -32002 }],
    ['a fault', { error: { code: 503, status: 'UNAVAILABLE', message: 'x' } }, 503, { name: 'GatewayError', code: 'upstream_overloaded' }],
    ['no error of A2A', '<html>', 502, { name: 'GatewayError', code: 'upstream_failed' }],
    ['a refusal', {}, 401, { name: 'GatewayError', code: 'upstream_unauthorized' }],
    ['a limit', undefined, 429, { name: 'GatewayError', code: 'upstream_limited' }],
  ])('are told over HTTP+JSON by %s', (_what, body, status, expected) => {
    expect(() => rest1.readReply('tasks/get', status, body)).toThrow(expect.objectContaining(expected));
  });

  it('are told from what is no answer', () => {
    for (const [status, body] of [
      [200, '<html>'],
      [200, { jsonrpc: '2.0', id: 1 }],
      [200, { jsonrpc: '2.0', id: 1, result: [] }],
      [302, { result: {} }],
    ] as const) {
      expect(() => rpc1.readReply('message/send', status, body)).toThrow(
        expect.objectContaining({ name: 'GatewayError', code: 'upstream_failed' }),
      );
    }
  });
});

describe('push notifications', () => {
  it('of 0.3 have its words, over both bindings', () => {
    const task = { id: 't', contextId: 'c', status: { state: 'TASK_STATE_COMPLETED' } };
    const legacy = { kind: 'task', id: 't', contextId: 'c', status: { state: 'completed' } };
    for (const wire of [rpc03, rest03]) expect(wire.writePush({ task })).toEqual(legacy);
    for (const wire of [rpc1, rest1]) expect(wire.writePush({ task })).toEqual({ task });
    for (const wire of [rpc1, rpc03, rest1, rest03]) {
      expect(wire.readPush(legacy)).toEqual({ task });
      expect(wire.readPush({ task })).toEqual({ task });
    }
  });

  it.each([[undefined], [{}], ['text'], [{ kind: 'other' }], [[]]])('are none: %j', (body) => {
    expect(() => rpc1.readPush(body)).toThrow(expect.objectContaining({ code: -32602 }));
  });
});
