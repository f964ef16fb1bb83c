import { expect, it } from 'vitest';
import { routeName } from '../../../../src/core/contracts/resource.ts';

it('a route has its own name, or its number in the list', () => {
  expect([{ name: 'support' }, {}, { name: 'route-1' }].map(routeName)).toEqual(['support', 'route-2', 'route-1']);
});
