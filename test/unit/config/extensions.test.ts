import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkOptions, loadExtensions } from '../../../src/config/extensions.ts';
import { addFiles, errorsOf, folderWith, load } from './folder.ts';

const policy = (fields = '') =>
  `export default { kind: 'policy', apiVersion: 1, name: 'mine', stage: 'guard', options: {}, create: () => ({}), ${fields} };\n`;

async function loadCode(files: Readonly<Record<string, string>>, paths: readonly string[]) {
  const folder = await folderWith(files);
  return { folder, ...(await loadExtensions(paths, { file: path.join(folder, 'hubgate.yaml') })) };
}

describe('extensions', () => {
  it('are default exports of files and of the files in folders, TypeScript too', async () => {
    const { extensions, problems, files, folder } = await loadCode(
      {
        'one.ts': `interface Options { readonly a?: number }\n${policy(`name: 'one', create: (_: Options) => ({})`)}`,
        'more/two.js': policy("name: 'two'"),
        'more/three.mjs': `export default [{ ...${policy("name: 'three'").slice(15, -2)} }, { kind: 'tool-source', apiVersion: 1, name: 'three', options: {}, create() {} }];`,
        'more/types.d.ts': 'export {};',
        'more/two.test.ts': 'throw new Error();',
        'more/readme.md': 'no code',
      },
      ['./one.ts', 'more'],
    );
    expect(problems).toEqual([]);
    expect(extensions.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'policy one',
      'policy three',
      'tool-source three',
      'policy two',
    ]);
    expect(files).toContain(path.join(folder, 'more'));
    expect(files).toContain(path.join(folder, 'one.ts'));
  });

  it('are imported again when their content changes, and stay the same when not', async () => {
    const folder = await folderWith({ 'a.ts': policy() });
    const again = () => loadExtensions(['a.ts'], { file: path.join(folder, 'hubgate.yaml') });
    const first = await again();
    expect((await again()).extensions[0]).toBe(first.extensions[0]);
    await addFiles(folder, { 'a.ts': policy("name: 'changed'") });
    expect((await again()).extensions[0]?.name).toBe('changed');
  });

  it.each([
    ['nothing', 'export const a = 1;', /no default export/],
    ['a number', 'export default 3;', /not an extension/],
    ['another kind', policy("kind: 'plugin'"), /kind must be one of: policy, tool-source/],
    ['a version to come', policy('apiVersion: 2'), /apiVersion must be 1/],
    ['a bad name', policy("name: 'Mine!'"), /name must be/],
    ['a name with another meaning', policy("name: 'lanes'"), /another meaning/],
    ['no schema', policy('options: undefined'), /options must be a JSON Schema/],
    ['no create', policy('create: 1'), /create must be a function/],
    ['a bad stage', policy("stage: 'early'"), /stage must be one of: observe/],
    ['a bad lane', policy("lanes: ['tool']"), /lanes must be a list of/],
    ['code that throws', "const a = 1;\nthrow new Error('no luck');\n", /could not be loaded: no luck/],
    ['code that is none', 'export default {;', /could not be loaded/],
  ])('that are %s are refused', async (_name, code, message) => {
    const { extensions, problems } = await loadCode({ 'x.ts': code }, ['x.ts']);
    expect(extensions).toEqual([]);
    expect(problems.map((problem) => problem.pointer)).toEqual(['/extensions/0']);
    expect(problems[0]?.message).toMatch(message);
    expect(problems[0]?.message).toMatch(/^x\.ts: /);
  });

  it('of one kind and name are an error', async () => {
    const { problems } = await loadCode({ 'a.ts': policy(), 'b.ts': policy() }, ['a.ts', 'b.ts']);
    expect(problems).toMatchObject([
      { code: 'name-clash', pointer: '/extensions/1', message: 'b.ts: there is a policy "mine" already. Rename one.' },
    ]);
  });

  it('of the user clash with built-in ones', async () => {
    const files = { 'hubgate.yaml': 'extensions:\n  - a.ts\n', 'a.ts': policy() };
    const builtins = (await loadCode({ 'b.ts': policy() }, ['b.ts'])).extensions;
    expect(errorsOf(await load(files, { builtins }))).toEqual(['hubgate.yaml:1:1 name-clash']);
  });

  it('are known to the policies of the same file', async () => {
    const code = policy("options: { type: 'object', properties: { level: { type: 'integer' } }, additionalProperties: false }");
    const good = await load({ 'hubgate.yaml': 'extensions: [a.ts]\npolicies: [{ mine: { level: 3 } }]\n', 'a.ts': code }, { builtins: [] });
    expect(good.problems).toEqual([]);
    expect(good.extensions.map(({ name }) => name)).toEqual(['mine']);
    const bad = await load(
      { 'hubgate.yaml': 'extensions: [a.ts]\npolicies:\n  - mine: { level: high }\n', 'a.ts': code },
      { builtins: [] },
    );
    expect(errorsOf(bad)).toEqual(['hubgate.yaml:3:13 wrong-type']);
  });
});

describe('options', () => {
  it('are checked, formats and unknown words of the schema included', async () => {
    const options = { $id: 'same', type: 'object', properties: { at: { type: 'string', format: 'date' } }, required: ['at'], 'x-note': 1 };
    const { extensions } = await loadCode(
      { 'a.ts': policy(`options: ${JSON.stringify(options)}`), 'b.ts': policy(`name: 'b', options: ${JSON.stringify(options)}`) },
      ['a.ts', 'b.ts'],
    );
    for (const extension of extensions) {
      expect(checkOptions(extension, { at: '2026-11-21' })).toEqual([]);
      expect(checkOptions(extension, { at: 'now' })).toMatchObject([{ pointer: '/at', message: 'This is not a text of the format date.' }]);
      expect(checkOptions(extension, {})).toMatchObject([{ code: 'missing-key' }]);
    }
    expect(extensions).toHaveLength(2);
  });

  it('of a schema that is none are a problem of the author', async () => {
    const { extensions } = await loadCode({ 'a.ts': policy("options: { type: 'objekt' }") }, ['a.ts']);
    expect(checkOptions(extensions[0]!, {})).toMatchObject([{ code: 'extension-schema', message: expect.stringContaining('"mine"') }]);
  });
});
