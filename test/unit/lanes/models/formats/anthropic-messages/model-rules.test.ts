import { describe, expect, it } from 'vitest';
import { modelRules } from '../../../../../../src/lanes/models/formats/anthropic-messages/request/model-rules.ts';

describe('the rules of a model', () => {
  it.each([
    ['claude-2.1', false],
    ['claude-instant-1.2', false],
    ['claude-3-opus-20240229', false],
    ['claude-3-7-sonnet-20250219', false],
    ['claude-sonnet-4-20250514', false],
    ['claude-opus-4@20250514', false],
    ['us.anthropic.claude-opus-4-1-20250805-v1:0', false],
    ['claude-haiku-4-5@20251001', false],
    ['claude-opus-4-6', false],
    ['anthropic.claude-opus-4-6-v1', false],
    ['anthropic/claude-sonnet-4.6', false],
    ['claude-opus-4-7', true],
    ['claude-opus-4-10', true],
    ['claude-sonnet-5', true],
    ['claude-haiku-5-5-20261007', true],
    ['claude-mythos-preview', true],
    ['claude-fable-5-2', true],
    ['claude-mock', true],
    // Other makers who speak this format.
    ['kimi-k2', false],
    ['MiniMax-M2', false],
  ])('%s follows the new version of the API: %s', (model, fresh) => {
    const rules = modelRules(model);
    expect(rules.apiVersion).toBe(fresh ? '2026-10-21' : '2023-06-01');
    expect(rules.sampling).toBe(!fresh);
  });

  it('knows who takes system turns between others', () => {
    const taking = ['claude-opus-4-8', 'claude-opus-5', 'claude-sonnet-5', 'claude-haiku-5-5', 'claude-fable-5'];
    const refusing = ['claude-opus-4-7', 'claude-sonnet-4-6', 'claude-3-haiku-20240307', 'claude-mock', 'kimi-k2'];
    expect(taking.filter((model) => modelRules(model).systemTurns)).toEqual(taking);
    expect(refusing.filter((model) => modelRules(model).systemTurns)).toEqual([]);
  });
});
