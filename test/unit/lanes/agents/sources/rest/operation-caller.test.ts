import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { GatewayError } from '../../../../../../src/core/errors.ts';
import {
  argumentsFor,
  type OperationAnswer,
  type OperationCaller,
  type OperationSkill,
} from '../../../../../../src/lanes/agents/sources/rest/operation-caller.ts';
import { bench, messageOf, noteOf, stateOf } from './application.ts';

const skill = (id: string, properties: JsonObject, required: string[] = []): OperationSkill => ({
  id,
  name: id,
  description: `Does ${id}.`,
  tags: ['pets'],
  inputSchema: { type: 'object', properties, required },
});
const FIND = skill('find', { name: { type: 'string' }, limit: { type: 'integer' } }, ['name']);
const ADD = skill('add', { name: { type: 'string' }, kind: { type: 'string' } });

function operations(answer: (id: string, args: JsonObject) => OperationAnswer, skills: OperationSkill[] = [FIND, ADD]) {
  let changed: (() => void) | undefined;
  let addresses: string[] = [];
  const caller: OperationCaller = {
    get skills() {
      return skills;
    },
    version: '2.1',
    key: '',
    upstream: 'demo:petstore',
    get addresses() {
      return addresses;
    },
    subscribe: (listener) => {
      changed = listener;
      return () => (changed = undefined);
    },
    call: async (id, args) => answer(id, args),
  };
  return {
    caller,
    become(next: OperationSkill[], ...at: string[]) {
      skills = next;
      addresses = at;
      changed?.();
    },
  };
}

describe('the operations of a document', () => {
  it('are skills that messages call', async () => {
    const { caller } = operations((id, args) => ({ text: `${id} ${JSON.stringify(args)}`, structured: { id, args }, isError: false }));
    const { send, source } = bench({ spec: 'petstore.yaml' }, { operations: caller });
    expect(source).toMatchObject({
      upstream: 'demo:petstore',
      snapshot: { state: 'ready', card: { version: '2.1', skills: [{ id: 'find', tags: ['pets'] }, { id: 'add' }] } },
    });
    const task = await send([{ data: { limit: 3 } }], { message: { metadata: { skill: 'find' } } });
    expect(task['artifacts']).toMatchObject([{ parts: [{ text: 'find {"limit":3}' }, { data: { id: 'find', args: { limit: 3 } } }] }]);
    const enveloped = await send([{ data: { skill: 'add', arguments: { kind: 'cat' } } }]);
    expect(enveloped['artifacts']).toMatchObject([{ parts: [{ text: 'add {"kind":"cat"}' }, {}] }]);
    await expect(send('Rex')).rejects.toMatchObject({ code: -32602 });
  });

  it('need no name where there is one', async () => {
    const { caller } = operations((_id, args) => ({ text: String(args['name']), isError: false }), [FIND]);
    const task = await bench({ spec: 'petstore.yaml' }, { operations: caller }).send('Rex');
    expect(task['artifacts']).toMatchObject([{ parts: [{ text: 'Rex' }] }]);
  });

  it('fail as the API says', async () => {
    const { caller } = operations(() => ({ text: 'name: must be text', isError: true }), [FIND]);
    const task = await bench({ spec: 'petstore.yaml' }, { operations: caller }).send('Rex');
    expect([stateOf(task), noteOf(task)]).toEqual(['TASK_STATE_FAILED', 'name: must be text']);
  });

  it('fail without a word of the address, wherever the document leads', async () => {
    const pets = operations(({ length }) => ({
      text: `no pool at http://${length === 4 ? 'one' : 'two'}-pets.internal:81/v1/pets`,
      isError: true,
    }));
    const { send } = bench({ spec: 'petstore.yaml' }, { operations: pets.caller });
    for (const [id, address] of [
      ['find', 'http://one-pets.internal:81/v1'],
      ['add', 'http://two-pets.internal:81/v1'],
    ] as const) {
      pets.become([FIND, ADD], address);
      const task = await send([{ data: {} }], { message: { metadata: { skill: id } } });
      expect([stateOf(task), noteOf(task)]).toEqual(['TASK_STATE_FAILED', 'no pool at [agent]/pets']);
    }
  });

  it('go the way of the call that brought the message', async () => {
    const { caller } = operations(() => ({ text: '', isError: false }), [FIND]);
    const lines: unknown[] = [];
    const { send } = bench(
      { spec: 'petstore.yaml' },
      { operations: { ...caller, skills: [FIND], call: async (_id, _args, { line }) => (lines.push(line), { text: '', isError: false }) } },
    );
    await send('Rex');
    expect(lines).toEqual([expect.objectContaining({ operation: 'message/send', send: expect.any(Function) })]);
  });

  it('leave to the call what another try may better', async () => {
    const { caller } = operations(() => {
      throw new GatewayError('upstream_overloaded', 'pets.internal:80 is overloaded', { retryAfterMs: 5 });
    }, [FIND]);
    const sending = bench({ spec: 'petstore.yaml' }, { operations: caller }).send('Rex');
    await expect(sending).rejects.toMatchObject({
      code: 'upstream_overloaded',
      retryAfterMs: 5,
      message: 'The application behind this agent cannot answer now. Try again shortly.',
    });
  });

  it('change with the document', async () => {
    const pets = operations((id) => ({ text: id, isError: false }), []);
    const { source, ask } = bench({ spec: 'petstore.yaml' }, { operations: pets.caller });
    expect(source.snapshot).toMatchObject({ state: 'failed', error: 'rest.spec: the document has no operation that can be called.' });
    await expect(ask('message/send', messageOf('x'))).rejects.toMatchObject({ code: 'unavailable' });
    let told = 0;
    source.subscribe(() => (told += 1));
    pets.become([ADD]);
    expect(told).toBe(1);
    expect(source.snapshot).toMatchObject({ state: 'ready', card: { skills: [{ id: 'add' }] } });
    const { version } = source.snapshot;
    pets.become([FIND]);
    expect(source.snapshot.version).not.toBe(version);
    await source[Symbol.asyncDispose]?.();
    pets.become([ADD]);
    expect(told).toBe(2);
  });
});

describe('argumentsFor', () => {
  it.each<[string, OperationSkill, readonly JsonObject[], JsonObject]>([
    ['data', FIND, [{ text: 'no' }, { data: { name: 'Rex' } }], { name: 'Rex' }],
    ['the arguments beside no skill', FIND, [{ data: { arguments: { name: 'Rex' } } }], { name: 'Rex' }],
    ['text, for the one that is needed', FIND, [{ text: 'Rex' }], { name: 'Rex' }],
    ['nothing where text could be several', ADD, [{ text: 'Rex' }], {}],
    ['nothing where the one is no text', skill('get', { id: { type: 'integer' } }), [{ text: '1' }], {}],
  ])('takes %s', (_what, one, parts, args) => {
    expect(argumentsFor(one, { parts })).toEqual(args);
  });
});
