import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AgentOperation } from '../../../../../src/core/agents.ts';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { BINDINGS, VERSIONS, type Wire } from '../../../../../src/lanes/agents/wires/wire.ts';
import { wireOf } from '../../../../../src/lanes/agents/wires/wires.ts';
import { event, PARAMS, PARAMS_1_0, RESULTS } from './arbitraries.ts';

/** There are many wires and operations: half of what is usual for each. */
const RUNS = { numRuns: 50 };

const WIRES = VERSIONS.flatMap((version) => BINDINGS.map((binding) => [`${version} ${binding}`, wireOf(version, binding)] as const));

/** What travels is text. */
const travel = <T>(value: T): T => (value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T));

function over(wire: Wire, operation: AgentOperation, params: JsonObject): { operation: AgentOperation; params: JsonObject } {
  const sending = wire.writeRequest(operation, params)!;
  const { pathname, searchParams } = new URL(`http://agent${sending.path}`);
  const path = sending.path === '' ? '' : pathname;
  const read = wire.readRequest({ method: sending.method, path, query: searchParams, body: travel(sending.body) });
  return { operation: read.operation, params: read.params };
}

describe.each(WIRES)('%s', (name, wire) => {
  it.each(Object.entries(PARAMS))('brings the request of %s over as it is', (operation, params) => {
    fc.assert(
      fc.property(params, (params) => {
        expect(over(wire, operation as AgentOperation, params)).toEqual({ operation, params });
      }),
      RUNS,
    );
  });

  it.each(Object.entries(RESULTS))('brings the result of %s over as it is', (name, results) => {
    const operation = name as AgentOperation;
    fc.assert(
      fc.property(results, (result) => {
        const { status, body } = wire.writeReply(operation, result, 7);
        expect(wire.readReply(operation, status, travel(body))).toEqual(result);
      }),
      RUNS,
    );
  });

  it('brings events over as they are', () => {
    fc.assert(
      fc.property(event, (event) => {
        expect(wire.readEvent(JSON.parse(wire.writeEvent(event, 'x')))).toEqual(event);
        expect(wire.readPush(travel(wire.writePush(event)))).toEqual(event);
      }),
      RUNS,
    );
  });

  it('reads nothing into an answer or an event that is none of A2A, and never throws anything else', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: false }), fc.integer({ min: 200, max: 599 }), (body, status) => {
        for (const read of [() => wire.readReply('message/send', status, body), () => wire.readEvent(body)]) {
          expect(read).toThrow(expect.objectContaining({ name: expect.stringMatching(/^(?:GatewayError|AgentError)$/) }));
        }
      }),
      RUNS,
    );
  });

  it('answers whatever a caller sends with an error of A2A', () => {
    const garbage = fc.oneof(
      fc.jsonValue(),
      fc.record({ jsonrpc: fc.constant('2.0'), method: fc.constantFrom('SendMessage', 'message/send'), params: fc.jsonValue() }),
      fc.record({ message: fc.jsonValue(), configuration: fc.jsonValue() }),
      fc.record({
        jsonrpc: fc.constant('2.0'),
        method: fc.constantFrom('SendMessage', 'message/send'),
        params: fc.record({ message: fc.record({ messageId: fc.constant('m'), role: fc.jsonValue(), parts: fc.jsonValue() }) }),
      }),
    );
    fc.assert(
      fc.property(garbage, (body) => {
        const path = wire.binding === 'JSONRPC' ? '' : wire.version === '1.0' ? '/message:send' : '/v1/message:send';
        const read = (): unknown => wire.readRequest({ method: 'POST', path, query: new URLSearchParams(), body });
        expect(read, name).toThrow(expect.objectContaining({ name: 'AgentError' }));
      }),
      RUNS,
    );
  });
});

describe.each(BINDINGS)('1.0 %s', (binding) => {
  const wire = wireOf('1.0', binding);

  it.each(Object.entries(PARAMS_1_0))('brings what only 1.0 knows of %s over as it is', (operation, params) => {
    fc.assert(
      fc.property(params, (params) => {
        expect(over(wire, operation as AgentOperation, params)).toEqual({ operation, params });
      }),
      RUNS,
    );
  });

  it('copies nothing', () => {
    const params = { message: { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'hi', later: 1 }] }, zeta: 1, alpha: 2 };
    const { body } = wire.writeRequest('message/send', params)!;
    expect(binding === 'JSONRPC' ? body!['params'] : body).toBe(params);
    const { path, method } = wire.writeRequest('message/send', params)!;
    expect(wire.readRequest({ method, path, query: new URLSearchParams(), body }).params).toBe(params);
    const result = { task: { id: 't', later: true } };
    const reply = wire.writeReply('message/send', result, 1);
    expect(binding === 'JSONRPC' ? reply.body!['result'] : reply.body).toBe(result);
    expect(wire.readReply('message/send', 200, reply.body)).toBe(result);
  });
});

describe.each(BINDINGS)('0.3 %s', (binding) => {
  const wire = wireOf('0.3', binding);

  it('cannot list tasks', () => {
    expect(wire.writeRequest('tasks/list', {})).toBeUndefined();
  });

  it('keeps fields that it does not know', () => {
    const params = {
      message: {
        messageId: 'm',
        role: 'ROLE_USER',
        parts: [
          { text: 'hi', x: 1 },
          { data: { a: 1 }, x: 2 },
          { url: 'u', x: 3 },
        ],
        x: 4,
      },
      configuration: { returnImmediately: true, x: 5 },
      x: 6,
    };
    expect(over(wire, 'message/send', params).params).toEqual(params);
    const result = {
      task: {
        id: 't',
        contextId: '',
        status: { state: 'TASK_STATE_WORKING', x: 1 },
        artifacts: [{ artifactId: 'a', parts: [], x: 2 }],
        x: 3,
      },
    };
    const { status, body } = wire.writeReply('message/send', result, 1);
    expect(wire.readReply('message/send', status, travel(body))).toEqual(result);
  });
});

it('0.3 JSON-RPC has room for what 1.0 says of parts and messages, its protobuf JSON has not', () => {
  const message = { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'hi', mediaType: 'text/markdown' }], referenceTaskIds: ['t'] };
  expect(over(wireOf('0.3', 'JSONRPC'), 'message/send', { message }).params).toEqual({ message });
  expect(over(wireOf('0.3', 'HTTP+JSON'), 'message/send', { message }).params).toEqual({
    message: { messageId: 'm', role: 'ROLE_USER', parts: [{ text: 'hi' }] },
  });
});

describe.each(VERSIONS)('%s HTTP+JSON', (version) => {
  it.each(['.', '..', ''])('lets no id %j lead to another address', (id) => {
    const write = (): unknown => wireOf(version, 'HTTP+JSON').writeRequest('tasks/get', { id });
    expect(write).toThrow(expect.objectContaining({ code: -32602, message: expect.stringMatching(/^id: /) }));
  });
});
