import { expect, it } from 'vitest';
import { fileReference } from '../../../src/core/file-reference.ts';

it.each([
  ['pets.yaml', 'a/pets.yaml'],
  ['./sub/../pets%20and.json?v=1#/x', 'a/pets and.json'],
  ['../b\\c.json', 'b/c.json'],
  ['..name.json', 'a/..name.json'],
  ['sub//pets.yaml/', 'a/sub/pets.yaml'],
  ['%zz.json', 'a/%zz.json'],
  ['#/components', 'a/api.yaml'],
  ['?v=2', 'a/api.yaml'],
])('%s leads to %s', (reference, path) => {
  expect(fileReference('a/api.yaml', reference)).toEqual({ path });
});

it.each([
  ['https://a.test/x.json', { outside: 'web' }],
  ['//a.test/x.json', { outside: 'web' }],
  ['FILE:///etc/passwd', { outside: 'scheme', scheme: 'file' }],
  ['/etc/passwd', { outside: 'absolute' }],
  ['%2Fetc/passwd', { outside: 'absolute' }],
  ['\\\\host\\share', { outside: 'absolute' }],
  ['c:/windows', { outside: 'absolute' }],
  ['../c:/windows', { outside: 'absolute' }],
  ['../../a/api.yaml', { outside: 'above' }],
  ['..%2f..%2Fsecret.json', { outside: 'above' }],
  ['..\\..\\secret.json', { outside: 'above' }],
  ['x%00.json', { outside: 'nameless' }],
])('%s leads to no file of the folder', (reference, found) => {
  expect(fileReference('a/api.yaml', reference)).toEqual(found);
});
