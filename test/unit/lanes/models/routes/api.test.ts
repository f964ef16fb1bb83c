import { describe, expect, it } from 'vitest';
import { ANONYMOUS, type Consumer } from '../../../../../src/core/consumer.ts';
import { admission } from '../../../../../src/lanes/models/routes/api.ts';

const who = (name: string, ...groups: string[]): Consumer => ({ name, groups, anonymous: false });

describe('the access of an API', () => {
  it('is everybody’s without a rule, and nobody’s with one that names nobody', () => {
    for (const consumer of [ANONYMOUS, who('alice'), who('bob', 'staff')]) {
      expect([admission(undefined)(consumer), admission({})(consumer)]).toEqual([true, false]);
    }
  });

  it('is that of consumers by glob, and of groups by name', () => {
    const admits = admission({ consumers: ['al*', 'bob'], groups: ['staff'] });
    for (const consumer of [who('alice'), who('al'), who('bob'), who('carol', 'interns', 'staff')]) expect(admits(consumer)).toBe(true);
    for (const consumer of [who('bobby'), who('carol'), who('carol', 'sta*'), who('staff')]) expect(admits(consumer)).toBe(false);
  });

  it('is not that of nobody, whose name is none', () => {
    expect(admission({ consumers: ['*', ANONYMOUS.name] })(ANONYMOUS)).toBe(false);
  });
});
