import { describe, expect, it } from 'vitest';
import { kitTargets } from '../../../bench/kit.ts';

interface KitTarget {
  readonly cmd: readonly string[];
  readonly path: string;
  readonly model?: string;
  readonly headers: Readonly<Record<string, string>>;
}

const built = (scenario: string, style: number, name: string): KitTarget =>
  kitTargets(scenario, style)[name]!(9201, 'http://127.0.0.1:9100') as KitTarget;

describe('kitTargets', () => {
  it('gives the kit only what it does not have', () => {
    expect(Object.keys(kitTargets('chat', 0))).toEqual(['hubgate', 'hubgate-10x', 'portkey']);
    expect(Object.keys(kitTargets('tools', 0))).toEqual(['hubgate']);
  });

  it('calls targets that convert in another way where the style is about that', () => {
    expect(built('chat', 0, 'hubgate')).toMatchObject({ path: '/v1/chat/completions', model: undefined });
    expect(built('chat', 1, 'hubgate')).toMatchObject({ path: '/v1/chat/completions', model: 'claude-mock' });
    expect(built('chat', 0, 'portkey').headers).toMatchObject({ 'x-portkey-provider': 'openai' });
    expect(built('chat', 1, 'portkey').headers).toMatchObject({
      'x-portkey-provider': 'anthropic',
      'x-portkey-custom-host': 'http://127.0.0.1:9100/v1',
    });
  });

  it('calls the hub with a key', () => {
    for (const style of [0, 1]) expect(built('chat', style, 'hubgate').headers['Authorization']).toMatch(/^Bearer \S/);
  });
});
