import type { JsonObject } from '../../../../../src/core/json.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkKeys, insertField, isPlain, replaceSoleValue, replaceValue } from '../../../../../src/lanes/models/passing/body-edits.ts';

/** JSON text with its spaces, its order of keys and its escapes chosen freely, and what it means. */
const space = fc.constantFrom('', ' ', '\n', '\t  ', '\r\n');
const letters = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('model', '"model"', '\\"model\\":', '{', '}', ',', ':', '\\', '"', '\\\\"', ']'),
);
const escaped = (text: string, all: boolean): string =>
  all
    ? `"${[...Array(text.length).keys()].map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
    : JSON.stringify(text);
/** V8 13.6 reads the key `"` as `\\` once it has read an object of the same shape with that key: no backslashes in keys here. */
const key = letters.filter((text) => text !== '__proto__' && !text.includes('\\'));
const value = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.tuple(letters, fc.boolean()).map(([text, all]) => escaped(text, all)),
    fc.oneof(fc.integer().map(String), fc.constantFrom('12345678901234567890', '1.0', '1e400', '-0', 'true', 'false', 'null')),
    fc.tuple(fc.array(tie('any'), { maxLength: 3 }), space).map(([items, gap]) => `[${gap}${items.join(`${gap},${gap}`)}${gap}]`),
    fc
      .tuple(fc.array(fc.tuple(key, tie('any')), { maxLength: 3 }), space)
      .map(([fields, gap]) => `{${gap}${fields.map(([key, item]) => `${JSON.stringify(key)}${gap}:${gap}${item}`).join(`,${gap}`)}${gap}}`),
  ),
})).any;
const other = fc.tuple(
  key.filter((text) => text !== 'model'),
  value,
);
const around = fc.record({
  before: fc.array(other, { maxLength: 4 }),
  after: fc.array(other, { maxLength: 4 }),
  old: value,
  gap: space,
  name: fc.constantFrom('"model"', '"mod\\u0065l"', '"\\u006dodel"'),
});
const field = (gap: string, name: string, text: string): string => `${gap}${name}${gap}:${gap}${text}${gap}`;
const build = ({ before, after, gap, name }: typeof around extends fc.Arbitrary<infer T> ? T : never): [head: string, tail: string] => {
  const head = before.map(([one, text]) => `${field(gap, JSON.stringify(one), text)},`).join('');
  const tail = after.map(([one, text]) => `,${field(gap, JSON.stringify(one), text)}`).join('');
  return [`${gap}{${head}${gap}${name}${gap}:${gap}`, `${gap}${tail}}${gap}`];
};

describe('replaceValue', () => {
  it('changes the value of the key and no other byte', () => {
    fc.assert(
      fc.property(around, fc.string({ unit: 'binary' }), (parts, wanted) => {
        const [head, tail] = build(parts);
        const json = `${head}${parts.old}${tail}`;
        const text = JSON.stringify(wanted);
        const edited = replaceValue(Buffer.from(json), 'model', text).toString();
        expect(edited).toBe(`${head}${text}${tail}`);
        expect(JSON.parse(edited)).toEqual({ ...(JSON.parse(json) as object), model: wanted });
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['{"model":"a"}', '{"model":"b"}'],
    ['{"model":1,"x":2}', '{"model":"b","x":2}'],
    ['{"x":{"model":"in"},"model" : null }', '{"x":{"model":"in"},"model" : "b" }'],
    ['{"a":"\\"model\\":\\"no\\"","model":["x",{"model":1}]}', '{"a":"\\"model\\":\\"no\\"","model":"b"}'],
    ['{"a":"model","model":"a","b":"model"}', '{"a":"model","model":"b","b":"model"}'],
    ['{"a":"\\\\","model":"a"}', '{"a":"\\\\","model":"b"}'],
  ])('%s', (json, expected) => {
    expect(replaceValue(Buffer.from(json), 'model', '"b"').toString()).toBe(expected);
  });

  it.each(['{"model":"a","model":"b"}', '{"model":"a","mod\\u0065l":"b"}', '{"x":1,"\\u006dodel":"a","y":{"model":0},"model":"b"}'])(
    'refuses a key that stands twice: %s',
    (json) => {
      expect(() => replaceValue(Buffer.from(json), 'model', '"c"')).toThrow(expect.objectContaining({ code: 'bad_request' }));
      expect(() => checkKeys(Buffer.from(json), JSON.parse(json) as JsonObject)).toThrow(expect.objectContaining({ code: 'bad_request' }));
    },
  );
});

describe('a key that stands once', () => {
  it.each([
    '{"model":"a"}',
    '{"model":"model","messages":[{"model":"x"}]}',
    '{"mod\\u0065l":"a","messages":["model","\\"model\\""]}',
    '{"a":{"model":1,"model":2},"model":"a"}',
  ])('takes %s', (json) => {
    expect(() => checkKeys(Buffer.from(json), JSON.parse(json) as JsonObject)).not.toThrow();
  });

  it('refuses just what has the key twice', () => {
    fc.assert(
      fc.property(around, fc.boolean(), fc.constantFrom('"model"', '"m\\u006fdel"'), (parts, twice, second) => {
        const [head, tail] = build(parts);
        const json = `${head}${parts.old}${twice ? `,${second}:1` : ''}${tail}`;
        const check = (): void => checkKeys(Buffer.from(json), JSON.parse(json) as JsonObject);
        if (twice) expect(check).toThrow(/stands twice/);
        else expect(check).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});

describe('isPlain', () => {
  it.each([
    ['{"model":"a","messages":[{"role":"user","content":"the \\"model\\" of it"}]}', true],
    ['{"model":"a","messages":[{"role":"user","content":"model, messages"}],"max_tokens":1}', true],
    ['{"model":"model-a","models":[],"input":[{"type":"input_text"}]}', true],
    ['{"model":"a","messages":[{"model":"b"}]}', false],
    ['{"model":"a","Messages":[]}', false],
    ['{"m\\u006fdel":"a"}', false],
  ])('%s: %s', (json, expected) => {
    expect(isPlain(json, JSON.parse(json) as JsonObject)).toBe(expected);
  });

  it('never passes what checkKeys refuses, and what it passes is changed as if nobody had looked', () => {
    let plain = 0;
    fc.assert(
      fc.property(around, fc.constantFrom('', ',"model":1', ',"m\\u006fdel":1', ',"Model":1', ',"x":{"model":1}'), (parts, more) => {
        const [head, tail] = build(parts);
        const json = `${head}${parts.old}${more}${tail}`;
        const body = JSON.parse(json) as JsonObject;
        if (!isPlain(json, body)) return;
        plain += 1;
        const bytes = Buffer.from(json);
        expect(() => checkKeys(bytes, body)).not.toThrow();
        expect(replaceSoleValue(bytes, 'model', '"b"').equals(replaceValue(bytes, 'model', '"b"'))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
    expect(plain).toBeGreaterThan(5);
  });
});

describe('checkKeys', () => {
  const check = (json: string): void => checkKeys(Buffer.from(json), JSON.parse(json) as JsonObject);
  const refused = expect.objectContaining({ code: 'bad_request' });

  it.each([
    '{"model":"small","Model":"forbidden"}',
    '{"model":"small","messages":[],"Messages":[{"role":"user","content":"bad"}]}',
    '{"model":"a","INPUT":"x"}',
    '{"model":"a","me\u017f\u017fages":[]}',
    '{"model":"a","me\\u017fsages":[]}',
    '{"model":"a","Stream":true}',
    '{"model":"a","Max_Tokens":1}',
    '{"model":"a","\\u0054ools":[]}',
    '{"model":"a","messages":[],"messages":[1]}',
    '{"model":"a","input":"x","y":0,"inp\\u0075t":"z"}',
    '{"model":"a","system":"x","system":"y"}',
    '{"model":"a","mod\\u0065l":"b"}',
    '{"model":"a","mod\\u0065\\u006C":"b"}',
  ])('refuses %s', (json) => {
    expect(() => check(json)).toThrow(refused);
  });

  it.each([
    '{}',
    '{"model":"a","messages":[{"Model":"b","role":"system","content":"\\"messages\\""},{"messages":[],"messages":[]}]}',
    '{"model":"a","tools":[{"Tools":1,"input":{"model":1,"input":2}}],"input":[{"input":"x"}],"X-Model":1,"temperature":1}',
    '{"mod\\u0065l":"a","messages":["\\u0061 model"]}',
    '{"model":"Z\\u00fcrich","messages":[]}',
  ])('takes %s', (json) => {
    expect(() => check(json)).not.toThrow();
  });

  it('refuses just what has a key twice', () => {
    fc.assert(
      fc.property(around, fc.boolean(), fc.constantFrom('"model"', '"m\\u006fdel"', '"MODEL"'), (parts, twice, second) => {
        const [head, tail] = build(parts);
        const json = `${head}${parts.old}${twice ? `,${second}:1` : ''}${tail}`;
        if (twice) expect(() => check(json)).toThrow(refused);
        else expect(() => check(json)).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });
});

describe('insertField', () => {
  it.each(['{}', '{ }', ' {\n}\n', `{${' '.repeat(100)}}`, '{"a":1}', ' { "a" : 1 } ', '{\n\t"a": {}\n}', `{${' '.repeat(100)}"a":1}`])(
    'into %j',
    (json) => {
      const edited = insertField(Buffer.from(json), 'new', '{"x":true}').toString();
      expect(JSON.parse(edited)).toEqual({ ...(JSON.parse(json) as object), new: { x: true } });
      expect(edited.replace(/"new":\{"x":true\},?/, '')).toBe(json);
    },
  );

  it('leaves all that stands there', () => {
    fc.assert(
      fc.property(around, (parts) => {
        const [head, tail] = build(parts);
        const json = `${head}${parts.old}${tail}`;
        const edited = insertField(Buffer.from(json), 'stream_options', '1').toString();
        expect(JSON.parse(edited)).toEqual({ ...(JSON.parse(json) as object), stream_options: 1 });
        expect(edited.endsWith(json.slice(json.indexOf('{') + 1))).toBe(true);
      }),
    );
  });
});
