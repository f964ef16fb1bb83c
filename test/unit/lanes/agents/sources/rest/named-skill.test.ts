import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../../../src/core/json.ts';
import { namedSkill } from '../../../../../../src/lanes/agents/sources/rest/message-values.ts';

const message = (metadata: JsonObject, data?: unknown): JsonObject => ({
  messageId: 'm',
  parts: [{ text: 'hi' }, ...(data === undefined ? [] : [{ data }])],
  metadata,
});

describe('namedSkill', () => {
  it.each([
    [message({}), undefined],
    [message({ skill: '', skillId: null }), undefined],
    [message({ skill: 'search' }), 'search'],
    [message({ skillId: 'search' }), 'search'],
    [message({ skill: '', skillId: 'search' }), 'search'],
    [message({ skill: 'search', skillId: 'search' }, { skill: 'search', arguments: {} }), 'search'],
    [message({}, { skill: 'search' }), 'search'],
    [message({ skill: 'search' }, { arguments: { skill: 'wipe' } }), 'search'],
    // No envelope: an application sees plain data.
    [message({ skill: 'search' }, { skill: 'wipe', more: 1 }), 'search'],
  ])('%j names %s', (given, expected) => {
    expect(namedSkill(given)).toBe(expected);
  });

  it.each([
    [message({ skill: 'search', skillId: 'wipe' })],
    [message({ skill: 'search' }, { skill: 'wipe', arguments: {} })],
    [message({ skillId: 'search' }, { skill: 'wipe' })],
    [message({ skill: ['wipe'] })],
    [message({ skillId: 7 })],
    [message({}, { skill: { id: 'wipe' } })],
    [message({ skill: 'search', skillId: { id: 'wipe' } })],
  ])('%j is refused', (given) => {
    expect(() => namedSkill(given)).toThrow(expect.objectContaining({ name: 'AgentError', code: -32602 }));
  });

  it('gives the one name there is, or none at all', () => {
    const name = fc.option(fc.constantFrom('search', 'wipe', ''), { nil: undefined });
    fc.assert(
      fc.property(name, name, name, (skill, skillId, data) => {
        const given = message({ skill, skillId }, data === undefined ? undefined : { skill: data });
        const names = new Set([skill, skillId, data].filter((one) => one !== undefined && one !== ''));
        if (names.size > 1) expect(() => namedSkill(given)).toThrow(expect.objectContaining({ code: -32602 }));
        else expect(namedSkill(given)).toBe([...names][0]);
      }),
    );
  });
});
