import { describe, expect, it } from 'vitest';
import { applyOverlays } from '../../../../../src/lanes/tools/openapi/overlays/apply-overlays.ts';
import { DOCUMENT_LIMITS, DocumentError, type ReportWarning } from '../../../../../src/lanes/tools/openapi/types.ts';
import { compileTree } from './compiling.ts';

type Part = Record<string, unknown>;
const text = (actions: readonly object[], rest: object = {}): string =>
  JSON.stringify({ overlay: '1.1.0', info: { title: 'T', version: '1' }, actions, ...rest });

function applied(root: Part, actions: readonly object[], rest: object = {}): { root: Part; warnings: ReportWarning[] } {
  return { root, warnings: applyOverlays(root, [{ file: 'o.yaml', text: text(actions, rest) }], {}, DOCUMENT_LIMITS) };
}
function faultOf(overlay: string, place: { file?: string; url?: string } = {}, root: Part = { info: {} }): DocumentError {
  try {
    applyOverlays(root, [{ file: 'specs/o.yaml', text: overlay }], place, DOCUMENT_LIMITS);
  } catch (error) {
    if (error instanceof DocumentError) return error;
    throw error;
  }
  throw new Error('It was applied.');
}

describe('actions', () => {
  it('merge objects, join arrays, replace plain values (1.1, Action Object)', () => {
    const root = { info: { title: 'Old', contact: { name: 'A' } }, tags: [{ name: 'a' }], servers: [{ url: 'x' }] };
    const update = { info: { title: 'New', contact: { email: 'b' } }, tags: [{ name: 'b' }], security: [] };
    expect(applied(root, [{ target: '$', update }])).toEqual({
      root: {
        info: { title: 'New', contact: { name: 'A', email: 'b' } },
        tags: [{ name: 'a' }, { name: 'b' }],
        servers: [{ url: 'x' }],
        security: [],
      },
      warnings: [],
    });
  });

  it('append to arrays, an entry or a list of them', () => {
    const actions = [
      { target: '$.tags', update: { name: 'b' } },
      { target: '$.tags', update: [{ name: 'c' }, { name: 'd' }] },
    ];
    expect(applied({ tags: [{ name: 'a' }] }, actions).root['tags']).toEqual(['a', 'b', 'c', 'd'].map((name) => ({ name })));
  });

  it('replace a plain value that the target selects, whatever its key is called', () => {
    const root = { paths: { "/it's/{a~b}": { get: { summary: 'Old' } } } };
    expect(applied(root, [{ target: '$.paths[*].get.summary', update: 'New' }]).root).toEqual({
      paths: { "/it's/{a~b}": { get: { summary: 'New' } } },
    });
  });

  it('remove from objects and lists, each node once, in the order of the actions', () => {
    const root = { tags: ['a', 'b', 'c', 'b', 'd'], paths: { '/a': { get: {}, post: {} } } };
    const actions = [
      { target: "$.tags[?@ == 'b']", remove: true },
      { target: '$.tags[0, 0]', remove: true },
      { target: "$.paths['/a'].post", remove: true },
      { target: "$.paths['/a']", update: { post: { summary: 'again' } } },
    ];
    expect(applied(root, actions).root).toEqual({ tags: ['c', 'd'], paths: { '/a': { get: {}, post: { summary: 'again' } } } });
  });

  it('see what the actions before them did, and copies stay apart', () => {
    const root: Part = { paths: { '/a': { get: { tags: ['x'] } }, '/b': {} } };
    const actions = [
      { target: "$.paths['/b']", copy: "$.paths['/a']" },
      { target: "$.paths['/b'].get", update: { tags: ['y'] } },
    ];
    expect(applied(root, actions).root['paths']).toEqual({ '/a': { get: { tags: ['x'] } }, '/b': { get: { tags: ['x', 'y'] } } });
  });

  it('leave alone what they name without a value, as the example of the specification does', () => {
    const root = { components: { schemas: { A: {} } }, tags: [{ name: 'a' }] };
    expect(applied(structuredClone(root), [{ target: '$', update: { components: null, tags: null } }]).root).toEqual(root);
  });

  it('take their fields from components.actions (1.2)', () => {
    const rest = { overlay: '1.2.0', components: { actions: { 'a/b': { fields: { update: { 'x-safe': true } } } } } };
    const { root } = applied({ info: {} }, [{ $ref: '#/components/actions/a~1b', target: '$.info' }], rest);
    expect(root).toEqual({ info: { 'x-safe': true } });
  });

  it('warn when they match nothing or do nothing, with their place', () => {
    const { warnings } = applied({ info: {} }, [{ target: '$.paths.*.get', update: {} }, { target: '$.info' }]);
    expect(warnings.map(({ pointer, code }) => [pointer, code])).toEqual([
      ['o.yaml#/actions/0/target', 'overlay_no_match'],
      ['o.yaml#/actions/1', 'overlay_no_effect'],
    ]);
  });

  it('change one place of a YAML alias, and no prototype', () => {
    const shared = { type: 'string' };
    const root: Part = { a: shared, b: shared };
    applyOverlays(
      root,
      [{ file: 'o.json', text: text([{ target: '$.a', update: JSON.parse('{"type":"integer","__proto__":{"hurt":true}}') as object }]) }],
      {},
      DOCUMENT_LIMITS,
    );
    expect(root['b']).toEqual({ type: 'string' });
    expect(Object.keys(root['a'] as object)).toEqual(['type', '__proto__']);
    expect(({} as Part)['hurt']).toBeUndefined();
  });
});

describe('an overlay that cannot be applied', () => {
  const yaml = (actions: string, head = 'overlay: 1.0.0'): string => `${head}\ninfo: { title: T, version: "1" }\nactions:\n${actions}`;
  it.each([
    ['what is no YAML', 'overlay: 1.0.0\ninfo: { title: T\n', 3, ''],
    ['another version', 'info: {}\noverlay: 2.0.0\n', 2, '/overlay'],
    ['no version', 'actions: []\n', 1, '/overlay'],
    ['no actions', 'overlay: 1.0.0\nactions: []\n', 2, '/actions'],
    [
      'a target that is no JSONPath',
      yaml('  - target: $.info\n    update: {}\n  - target: info[\n    remove: true\n'),
      6,
      '/actions/1/target',
    ],
    ['values that do not go together', yaml('  - target: $\n    update:\n      info: text\n'), 6, '/actions/0/update/info'],
    ['the whole document removed', yaml('  - target: $\n    remove: true\n'), 4, '/actions/0/target'],
    ['nodes of different kinds', yaml('  - target: $.*\n    update: {}\n'), 5, '/actions/0/update'],
  ])('%s', (_, overlay, line, pointer) => {
    const fault = faultOf(overlay, {}, { info: {}, tags: [] });
    expect({ code: fault.code, file: fault.file, line: fault.line }).toEqual({ code: 'invalid_overlay', file: 'specs/o.yaml', line });
    expect(fault.pointer ?? '').toBe(pointer);
  });

  it('is bounded', () => {
    const big = Array.from({ length: 2_000 }, () => ({}));
    const fault = faultOf(text([{ target: '$.list.*', update: { list: big } }]), {}, { list: Array.from({ length: 2_000 }, () => ({})) });
    expect(fault.code).toBe('too_expensive');
  });
});

describe('extends', () => {
  const extending = (target: string): string => text([{ target: '$', update: {} }], { extends: target });
  const run = (target: string, place: { file?: string; url?: string }): ReportWarning[] =>
    applyOverlays({}, [{ file: 'specs/pets.overlay.yaml', text: extending(target) }], place, DOCUMENT_LIMITS);

  it('names the document that it lies beside, or its address', () => {
    expect(run('./pets.yaml', { file: 'specs/pets.yaml' })).toEqual([]);
    expect(run('../specs/my%20pets.yaml', { file: 'specs/my pets.yaml' })).toEqual([]);
    expect(run('https://a.test/x.json', { url: 'https://a.test/x.json' })).toEqual([]);
    expect(run('https://a.test/x.json', { file: 'specs/pets.yaml' })).toMatchObject([{ code: 'overlay_extends' }]);
  });

  it('stands against $self, where there is one (1.2)', () => {
    const rest = { overlay: '1.2.0', $self: 'https://a.test/overlays/x.yaml', extends: '../api.json' };
    const overlay = { file: 'o', text: text([{ target: '$', update: {} }], rest) };
    expect(applyOverlays({}, [overlay], { url: 'https://a.test/api.json' }, DOCUMENT_LIMITS)).toEqual([]);
    expect(faultOf(overlay.text, { url: 'https://a.test/overlays/api.json' })).toMatchObject({ pointer: '/extends' });
  });

  it('refuses another document', () => {
    expect(faultOf(extending('other.yaml'), { file: 'specs/pets.yaml' })).toMatchObject({ code: 'invalid_overlay', pointer: '/extends' });
    expect(faultOf(extending('https://a.test/y'), { url: 'https://a.test/x' })).toMatchObject({ pointer: '/extends' });
  });
});

it('is applied before tools are made', () => {
  const paths = { '/a': { get: { operationId: 'a', responses: {} } }, '/b': { get: { operationId: 'b', responses: {} } } };
  const overlays = [
    {
      file: 'o',
      text: text([
        { target: "$.paths['/b']", remove: true },
        { target: '$.paths.*.get', update: { summary: 'Said better.' } },
      ]),
    },
  ];
  const { operations } = compileTree({ paths }, { overlays });
  expect(operations.map(({ tool }) => [tool.definition.name, tool.definition.description])).toEqual([['a', 'Said better.']]);
});

describe('regular expressions of a target', () => {
  const run = (target: string): unknown => {
    const root = { paths: { '/a': { get: { summary: 'a'.repeat(40), other: '(a|a)*' } } } };
    return applied(root, [{ target, update: { found: true } }]).root;
  };

  it('are run where they answer in time', () => {
    for (const filter of [
      "match(@.summary, '[a-c]+')",
      "search(@.summary, 'a.*a')",
      "match(@.summary, '(a|b).*')",
      "!search(@.summary, '(')",
    ])
      expect(run(`$.paths[*][?${filter}]`), filter).toMatchObject({ paths: { '/a': { get: { found: true } } } });
  });

  it.each([
    ["$.paths[*][?match(@.summary, '(a|a)*')]", 'The regular expression "(a|a)*" could take too long'],
    ["$..[?@.x && !(search(@.summary, '(a+)+b') || @.y)]", 'could take too long'],
    ["$.paths[?count(@[?match(@.summary, '(a?)*b')]) > 0]", 'could take too long'],
    ["$.paths[?search(@.summary, '.*.*.*.*b')]", 'could take too long'],
    ['$.paths[*][?match(@.summary, @.other)]', 'must stand in the target itself'],
  ])('are refused elsewhere: %s', (target, message) => {
    expect(faultOf(text([{ target, remove: true }]))).toMatchObject({
      code: 'too_expensive',
      pointer: '/actions/0/target',
      message: expect.stringContaining(message),
    });
  });
});

it('messages have the right article, and leave texts as they are', () => {
  const root: Part = { info: { 'an plain': 'x', description: ['y'] } };
  expect(faultOf(text([{ target: '$.info', update: { 'an plain': {} } }]), {}, root).message).toBe(
    'The document has a plain value here, and the overlay an object.',
  );
  expect(faultOf(text([{ target: "$['an plain" }])).message).toContain("$['an plain");
});
