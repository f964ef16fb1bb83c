import { expect, it } from 'vitest';
import { publicBase } from '../../../src/http/request-line.ts';

it.each<[string | undefined, string | undefined, string]>([
  [undefined, '127.0.0.1:8700', 'http://127.0.0.1:8700'],
  [undefined, '[::1]:8700', 'http://[::1]:8700'],
  [undefined, undefined, 'http://localhost'],
  ['https://hub.example', '127.0.0.1:8700', 'https://hub.example'],
  ['https://hub.example/', '127.0.0.1:8700', 'https://hub.example'],
  ['https://hub.example/prefix/', undefined, 'https://hub.example/prefix'],
])('publicUrl %s, Host %s: %s', (publicUrl, host, base) => {
  expect(publicBase({ headers: host === undefined ? {} : { host } }, publicUrl)).toBe(base);
});
