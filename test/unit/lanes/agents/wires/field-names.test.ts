import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AgentOperation } from '../../../../../src/core/agents.ts';
import { isObject, type JsonObject } from '../../../../../src/core/json.ts';
import { plainNames, withoutStrayPush } from '../../../../../src/lanes/agents/wires/field-names.ts';
import { BINDINGS, VERSIONS, type Wire, type WireCall } from '../../../../../src/lanes/agents/wires/wire.ts';
import { wireOf } from '../../../../../src/lanes/agents/wires/wires.ts';
import { PARAMS } from './arbitraries.ts';

const WIRES = VERSIONS.flatMap((version) => BINDINGS.map((binding) => [`${version} ${binding}`, wireOf(version, binding)] as const));
const PAIRS = WIRES.flatMap(([caller, from]) => WIRES.map(([agent, to]) => [caller, agent, from, to] as const));
const RUNS = { numRuns: 40 };

const HUB = 'https://hub.test/push';
const PRIVATE = 'http://private.internal/hook';
/** What is the caller's own stays as it is spelled. */
const OPAQUE: ReadonlySet<string> = new Set(['metadata', 'data']);

const snake = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const SPELLINGS: readonly ((key: string) => string)[] = [
  (key) => key,
  snake,
  (key) => snake(key).toUpperCase(),
  (key) => key.toLowerCase(),
  (key) => key.replaceAll('k', '\u212a'),
];

function respelled(value: unknown, next: () => number): unknown {
  if (Array.isArray(value)) return value.map((item) => respelled(item, next));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [SPELLINGS[next()]!(key), OPAQUE.has(key) ? field : respelled(field, next)]),
  );
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly params: JsonObject | undefined;
}

function sent(wire: Wire, operation: AgentOperation, params: JsonObject): Sent & { readonly rpc: JsonObject | undefined } {
  const { method, path, body } = JSON.parse(JSON.stringify(wire.writeRequest(operation, params))) as Sent & { body?: JsonObject };
  const { pathname, searchParams } = new URL(`http://agent${path}`);
  const rpc = wire.binding === 'JSONRPC' ? body : undefined;
  const given = rpc === undefined ? body : (rpc['params'] as JsonObject | undefined);
  return { method, path: path === '' ? '' : pathname, query: searchParams, params: given, rpc };
}

function read(wire: Wire, { rpc, params, ...rest }: ReturnType<typeof sent>): WireCall {
  return wire.readRequest({ ...rest, body: rpc === undefined ? params : { ...rpc, params } });
}

/** As the relay does. */
function relayed(params: JsonObject): JsonObject {
  const { configuration } = params;
  if (!isObject(configuration) || !isObject(configuration['taskPushNotificationConfig'])) return params;
  return { ...params, configuration: { ...configuration, taskPushNotificationConfig: { id: 'c', url: HUB } } };
}

const CONFIG = { url: PRIVATE };
/** Two spellings of one name would be refused. */
const stray = fc
  .record(
    {
      one: fc.constantFrom('pushNotification', 'push_notification', 'PushNotification'),
      two: fc.constantFrom('pushNotificationConfig', 'push_notification_config', 'pushnotificationConfig'),
      three: fc.constantFrom('pushNotificationConfigs', 'push_notification_url', 'taskPushNotification'),
    },
    { requiredKeys: [] },
  )
  .map((keys): JsonObject => Object.fromEntries(Object.values(keys).map((key) => [key, CONFIG])));
const messages = fc.tuple(
  fc.constantFrom<AgentOperation>('message/send', 'message/stream'),
  PARAMS['message/send']!.map((params) => {
    const message = params['message'] as JsonObject;
    const configuration = { ...(params['configuration'] as JsonObject), taskPushNotificationConfig: CONFIG };
    return { ...params, message: { ...message, taskId: 'task:1', contextId: 'context:1' }, configuration };
  }),
);
/** By chance, the same for the same place. */
const spelling = fc.infiniteStream(fc.nat(SPELLINGS.length - 1)).map((stream) => () => stream.next().value as number);

describe.each(PAIRS)('from a caller of %s to an agent of %s', (_caller, _agent, from, to) => {
  it('sends the ids that the hub has read, and no address but its own, however they are spelled', () => {
    fc.assert(
      fc.property(messages, spelling, ([operation, params], next) => {
        const plain = sent(from, operation, params);
        const call = read(from, { ...plain, params: respelled(plain.params, next) as JsonObject });
        expect(call).toEqual(read(from, plain));
        expect(call.params['message']).toMatchObject({ taskId: 'task:1', contextId: 'context:1' });
        const { params: out } = sent(to, operation, relayed(call.params));
        expect(out!['message']).toMatchObject({ taskId: 'task:1', contextId: 'context:1' });
        expect(JSON.stringify(out)).toContain(HUB);
        expect(JSON.stringify(out)).not.toContain(PRIVATE);
      }),
      RUNS,
    );
  });

  it('lets no push configuration of another name through', () => {
    fc.assert(
      fc.property(messages, stray, stray, ([operation, params], top, inside) => {
        const plain = sent(from, operation, params);
        const named = new Set(['pushNotificationConfig', 'pushNotification', 'taskPushNotificationConfig']);
        const configuration = Object.entries(plain.params!['configuration'] as JsonObject).filter(([key]) => !named.has(key));
        const strayed = { ...plain.params, ...top, configuration: { ...Object.fromEntries(configuration), ...inside } };
        const call = read(from, { ...plain, params: strayed });
        expect(JSON.stringify(sent(to, operation, relayed(call.params)).params)).not.toContain(PRIVATE);
      }),
      RUNS,
    );
  });
});

it.each(WIRES)('a caller of %s gives an agent of 0.3 HTTP+JSON no second message', (_name, wire) => {
  const message = { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'hi' }] };
  const plain = sent(wire, 'message/send', { message, configuration: {} });
  const call = read(wire, { ...plain, params: { ...plain.params, request: { ...message, taskId: 'another' } } });
  const out = sent(wireOf('0.3', 'HTTP+JSON'), 'message/send', call.params).params;
  expect(out).toMatchObject({ message: { messageId: 'm' } });
  expect(JSON.stringify(out)).not.toContain('another');
});

describe.each(WIRES)('a caller of %s', (_name, wire) => {
  const PLAIN = { message: { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'hi' }], taskId: 't' } };
  const plain = sent(wire, 'message/send', PLAIN);
  const message = plain.params!['message'] as JsonObject;

  it.each([
    ['message.taskId', { message: { ...message, task_id: 'another' } }],
    ['message.taskId', { message: { ...message, taskId: null, task_id: 'another' } }],
    ['message.messageId', { message: { ...message, message_id: 'another' } }],
    ['message.referenceTaskIds', { message: { ...message, reference_task_ids: ['a'], referenceTaskIds: ['b'] } }],
    ['configuration.historyLength', { message, configuration: { history_length: 1, historyLength: 2 } }],
    ['message', { message, Message: { ...message, taskId: 'another' } }],
  ])('hears that %s is there twice', (field, params) => {
    const attempt = (): unknown => read(wire, { ...plain, params });
    expect(attempt).toThrow(
      expect.objectContaining({ code: -32602, message: expect.stringContaining(`${field}: this is there more than once`) }),
    );
  });

  it('may spell parts as parsers of protobuf JSON let it', () => {
    const parts = [{ url: 'https://x/y', mediaType: 'image/png', filename: 'y.png' }];
    const written = sent(wire, 'message/send', { message: { ...PLAIN.message, parts } });
    const params = respelled(written.params, () => 1) as JsonObject;
    expect(read(wire, { ...written, params }).params['message']).toEqual({ ...PLAIN.message, parts });
  });

  it.each(Object.entries(PARAMS))('may spell the fields of %s as it likes', (name, arbitrary) => {
    const operation = name as AgentOperation;
    fc.assert(
      fc.property(arbitrary, spelling, (params, next) => {
        const plain = sent(wire, operation, params);
        const given = plain.params === undefined ? undefined : (respelled(plain.params, next) as JsonObject);
        expect(read(wire, { ...plain, params: given })).toEqual(read(wire, plain));
      }),
      RUNS,
    );
  });
});

describe('ids of a task in 0.3', () => {
  const rpc = wireOf('0.3', 'JSONRPC');

  it.each([
    ['tasks/pushNotificationConfig/list', { id: 'theirs' }, { id: 'mine' }],
    ['tasks/pushNotificationConfig/delete', { id: 'c', pushNotificationConfigId: 'd' }, { id: 'mine', pushNotificationConfigId: 'c' }],
  ] as const)('has those of the hub in %s', (operation, more, expected) => {
    expect(sent(rpc, operation, { taskId: 'mine', ...more }).params).toEqual(expected);
  });

  it('has no second name of the task in what is canceled', () => {
    const { params, path } = sent(wireOf('0.3', 'HTTP+JSON'), 'tasks/cancel', { id: 'mine', name: 'tasks/theirs', metadata: { a: 1 } });
    expect([path, params]).toEqual(['/v1/tasks/mine:cancel', { metadata: { a: 1 } }]);
  });
});

describe('what needs no change', () => {
  it.each(VERSIONS)('is not copied in %s', (version) => {
    const params = {
      message: {
        messageId: 'm',
        parts: [{ data: { task_id: 1 }, metadata: { task_id: 1 }, x_y: 1 }],
        metadata: { task_id: 1 },
        my_field: 1,
      },
      configuration: { returnImmediately: true, taskPushNotificationConfig: CONFIG, later_field: 2, _id: 1 },
      my_field: 3,
    };
    expect(withoutStrayPush('message/send', plainNames('message/send', params, version))).toBe(params);
  });

  it('is the same object within what changes', () => {
    const message = { messageId: 'm', parts: [{ text: 'hi' }] };
    const read = plainNames('message/send', { message, configuration: { history_length: 1, x_y: 2 } }, '1.0');
    expect(read).toEqual({ message, configuration: { historyLength: 1, x_y: 2 } });
    expect(read['message']).toBe(message);
  });
});
