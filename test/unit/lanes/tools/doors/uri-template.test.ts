import { describe, expect, it } from 'vitest';
import { compileTemplate } from '../../../../../src/lanes/tools/doors/uri-template.ts';

describe('a URI template matches', () => {
  it.each<[string, string, boolean]>([
    ['test://{id}/data', 'test://7/data', true],
    ['test://{id}/data', 'test://7/other', false],
    ['test://{id}/data', 'test://a/b/data', false],
    ['file:///{+path}', 'file:///a/b.txt', true],
    ['file:///{+path}', 'http://elsewhere', false],
    ['a.b/{x}', 'aXb/1', false],
    ['x://{a}', `x://${'y'.repeat(3000)}`, false],
  ])('%s and %s: %s', (template, uri, expected) => {
    expect(compileTemplate(template)(uri)).toBe(expected);
  });
});
