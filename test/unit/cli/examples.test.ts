import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ExampleOverlay } from '../../../src/cli/example-overlay.ts';
import { examplePrompt, readExampleAnswer } from '../../../src/cli/example-prompt.ts';
import { compileDocument } from '../../../src/lanes/tools/openapi/compile.ts';

const tools = [{ name: 'deletePet' }, { name: 'search' }];
const read = (answer: string, count = 3): string[][] => readExampleAnswer(answer, tools, count);

describe('the question', () => {
  it('tells of each tool what it is for, and no more than that', () => {
    const [system, user] = examplePrompt([{ name: 'deletePet', description: 'd'.repeat(5000), arguments: ['id'] }], 2);
    expect(system!.content).toContain('write 2 short requests');
    expect(JSON.parse(user!.content)).toEqual({ number: 1, name: 'deletePet', description: 'd'.repeat(600), arguments: ['id'] });
  });
});

describe('the answer', () => {
  const whole = '{"1": ["give the dog away"], "2": ["look for a cat"]}';
  it.each([
    ['bare', whole],
    ['in a fence', `Sure:\n\`\`\`json\n${whole}\n\`\`\`\nAnything else?`],
    ['between sentences', `Here you are: ${whole}. Enjoy!`],
    ['after a thought', `<think>{"1": ["no"]} or [</think>\n${whole}`],
    ['by name', '{"deletePet": ["give the dog away"], "search": ["look for a cat"]}'],
    ['in order', '[["give the dog away"], ["look for a cat"]]'],
  ])('is read %s', (_, answer) => {
    expect(read(answer)).toEqual([['give the dog away'], ['look for a cat']]);
  });

  it('of one tool may be one list', () => {
    expect(readExampleAnswer('["a", "b"]', [{ name: 'one' }], 3)).toEqual([['a', 'b']]);
  });

  it('loses what is no request: too long, twice, with the name of the tool, no text', () => {
    const list = ['use deletePet now', ' give\n the\u0007 dog away', 'Give the dog away', 'x'.repeat(301), 7, '', 'one', 'two', 'three'];
    expect(read(JSON.stringify({ 1: list, 2: ['search for cats'] }))).toEqual([['give the dog away', 'one', 'two'], ['search for cats']]);
    expect(read('no idea')).toEqual([[], []]);
  });

  it('never throws and never gives more than was asked for, whatever it is', () => {
    const texts = fc.oneof(fc.string(), fc.json(), fc.array(fc.array(fc.string())).map((value) => JSON.stringify(value)), fc.dictionary(fc.constantFrom('1', '2', 'search', '__proto__'), fc.anything()).map((value) => `\`\`\`${safeJson(value)}\`\`\``)); // prettier-ignore
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 10 }), (answer, count) => {
        const lists = read(answer, count);
        expect(lists).toHaveLength(2);
        for (const list of lists) {
          expect(list.length).toBeLessThanOrEqual(count);
          for (const text of list) expect(text.length > 0 && text.length <= 300 && text.trim() === text).toBe(true);
        }
      }),
    );
  });
});

describe('the file', () => {
  it('gives every operation its examples again, whatever its path is called', () => {
    const path = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).map((text) => `/${text}`);
    const texts = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 60 }).map((text) => text.replaceAll(/\s+/g, ' ').trim()), { minLength: 1, maxLength: 3 }).filter((list) => !list.includes('')); // prettier-ignore
    fc.assert(
      fc.property(fc.dictionary(path, texts, { minKeys: 1, maxKeys: 4, noNullPrototype: true }), (byPath) => {
        const overlay = new ExampleOverlay(undefined, 'o.yaml', 'shop');
        for (const [key, examples] of Object.entries(byPath)) overlay.put({ method: 'GET', path: key }, examples);
        const again = new ExampleOverlay(overlay.toString(), 'o.yaml', 'shop');
        expect(again.toString()).toBe(overlay.toString());
        const paths = Object.fromEntries(Object.keys(byPath).map((key) => [key, { get: {} }]));
        const document = { openapi: '3.1.0', info: { title: 'T', version: '1' }, servers: [{ url: 'https://a.test' }], paths };
        const overlays = [{ file: 'o.yaml', text: overlay.toString() }];
        const { operations, warnings } = compileDocument({ name: 'shop', text: JSON.stringify(document), overlays });
        expect(warnings.filter(({ code }) => code.startsWith('overlay'))).toEqual([]);
        for (const one of operations) expect(one.tool.examples).toEqual(byPath[one.path]);
      }),
      { numRuns: 50 },
    );
  });

  it('keeps what a person wrote, and has one action for each operation', () => {
    const before = `# ours\noverlay: 1.0.0\ninfo: { title: T, version: "1" }\nactions:\n  - target: $.info\n    update: { title: X } # a title\n  - target: $.paths['/a'].get\n    update: { summary: S, x-hubgate-examples: [old] }\n`;
    const overlay = new ExampleOverlay(before, 'o.yaml', 'shop');
    overlay.put({ method: 'GET', path: '/a' }, ['new']);
    overlay.put({ method: 'PURGE', path: "/it's" }, ['gone']);
    expect(overlay.toString()).toContain('# a title');
    expect((parse(overlay.toString()) as { actions: object[] }).actions).toEqual([
      { target: '$.info', update: { title: 'X' } },
      { target: "$.paths['/a'].get", update: { summary: 'S', 'x-hubgate-examples': ['new'] } },
      { target: String.raw`$.paths['/it\'s'].additionalOperations['PURGE']`, update: { 'x-hubgate-examples': ['gone'] } },
    ]);
  });

  it.each(['actions: {', 'overlay: 1.0.0\n', 'just a text', ''])('is not written over when it is none: %j', (text) => {
    expect(() => new ExampleOverlay(text, 'o.yaml', 'shop')).toThrow(/^o\.yaml is not an overlay with a list of actions/);
  });
});

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}
