import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Agent } from '../../../../../../src/config/schema/agents.ts';
import type { AgentConfig } from '../../../../../../src/config/types.ts';
import { faultsOf } from '../../../../../../src/config/validate.ts';
import { Secret } from '../../../../../../src/core/secret.ts';
import { MESSAGE_NAMES } from '../../../../../../src/lanes/agents/sources/rest/message-values.ts';
import { bench } from './application.ts';

const page = readFileSync(new URL('../../../../../../docs/http-agents.md', import.meta.url), 'utf8');
const agents = [...page.matchAll(/```yaml\n([^]*?)```/g)].flatMap(([, text]) =>
  Object.entries((parse(text!) as { agents: Record<string, AgentConfig> }).agents),
);

describe('docs/http-agents.md', () => {
  it.each(agents)('has an example %s that can be used', (_name, config) => {
    expect(faultsOf(Agent, config)).toEqual([]);
    const { app, ...rest } = config.rest!;
    const operations = {
      skills: [{ id: 'a', name: 'a', description: 'a', tags: [], inputSchema: {} }],
      key: '',
      upstream: 'x',
      addresses: [],
      subscribe: () => () => {},
    };
    const { source } = bench(
      { ...rest, ...(app === undefined ? {} : { app: new Secret(String(app)) }) },
      rest.spec === undefined ? {} : { operations: { ...operations, call: async () => ({ text: '', isError: false }) } },
    );
    expect(source.snapshot.error).toBeUndefined();
    expect(source.snapshot.state).toBe('ready');
  });

  it('has every value that a template may ask for', () => {
    expect([...MESSAGE_NAMES].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
    expect(agents.length).toBeGreaterThan(8);
  });
});
