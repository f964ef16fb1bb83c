import { expect, it } from 'vitest';
import { isSameOrigin } from '../../../../../../src/lanes/agents/sources/a2a/address.ts';

it.each([
  ['http://localhost:8', 'http://127.0.0.1:8', true],
  ['http://[::1]:8', 'http://0.0.0.0:8', true],
  [new URL('http://[::ffff:127.0.0.1]:8').origin, 'http://localhost:8', true],
  ['http://localhost:8', 'http://localhost:9', false],
  ['http://localhost:8', 'https://localhost:8', false],
  ['http://localhost.example.com', 'http://localhost', false],
  ['https://a.example', 'https://a.example', true],
  ['https://a.example', 'https://b.example', false],
])('%s and %s are one origin: %s', (one, other, same) => {
  expect(isSameOrigin(one, other)).toBe(same);
});
