import { describe, expect, it } from 'vitest';
import { cardOf, speaker } from '../../../../../src/lanes/agents/registry/agent.ts';
import { agentOf, cardAt, fakeSource, LOADING, type InstanceParts } from '../start-agents.ts';

const ready = (name: string, when?: string): InstanceParts => ({
  source: fakeSource(name, undefined, { card: cardAt(`http://${name}.test`) }),
  ...(when === undefined ? {} : { when }),
});
const loading = (name: string, when?: string): InstanceParts => ({
  source: fakeSource(name, undefined, LOADING),
  ...(when === undefined ? {} : { when }),
});

describe('who speaks for an agent', () => {
  it.each<[string, InstanceParts[], string | undefined]>([
    ['the first', [ready('a'), ready('b')], 'a'],
    ['the first that is ready', [loading('a'), ready('b')], 'b'],
    ['one for everybody before one with a condition', [ready('a', 'true'), ready('b')], 'b'],
    ['one with a condition, when no other is ready', [ready('a', 'true'), loading('b')], 'a'],
    ['the first for everybody, while none is ready', [loading('a', 'true'), loading('b'), loading('c')], 'b'],
    ['nobody', [], undefined],
  ])('%s', (_, instances, id) => expect(speaker(agentOf({}, instances))?.id).toBe(id));

  it('the card of the agent is that of its speaker', () => {
    expect(cardOf(agentOf({}, [loading('a'), ready('b')]))).toEqual(cardAt('http://b.test'));
    expect(cardOf(agentOf({}, [loading('a')]))).toBeUndefined();
  });
});
