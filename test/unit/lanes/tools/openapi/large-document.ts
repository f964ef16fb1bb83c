import { compileInWorker } from '../../../../../src/lanes/tools/openapi/import-pool.ts';
import type { DocumentError } from '../../../../../src/lanes/tools/openapi/types.ts';

/** Run as a process of its own: `node large-document.ts NAME [MILLISECONDS]` compiles a large document, and prints what came of it and the memory it took. */
const MB = 1024 * 1024;
const get = { responses: {} };
const of = (more: object): string => JSON.stringify({ openapi: '3.0.3', info: { title: 'T', version: '1' }, servers: [{ url: 'https://a.test' }], paths: { '/a': { get } }, ...more }); // prettier-ignore
/** Parameters that every operation may refer to, as an operation has them and as `components` does. */
const large = Array.from({ length: 60 }, (_, index) => [`p${index}`, { name: `p${index}`, in: 'query', description: 'text '.repeat(200), schema: { type: 'string' } }] as const); // prettier-ignore
const parameters = large.map(([name]) => ({ $ref: `#/components/parameters/${name}` }));
const operations = (): string => of({ paths: Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`/p${index}`, { get: { ...get, description: 'text '.repeat(2000) } }])) }); // prettier-ignore

const documents: Readonly<Record<string, () => string>> = {
  operations,
  'operations that break off': () => operations().slice(0, -10),
  'one text': () => of({ 'x-a': 'a'.repeat(50 * MB) }),
  nothing: () => ' '.repeat(50 * MB),
  brackets: () => '['.repeat(50 * MB),
  levels: () => of({ 'x-a': '@' }).replace('"@"', `${'{"a":'.repeat(5 * MB)}1${'}'.repeat(5 * MB)}`),
  objects: () => of({ 'x-a': '@' }).replace('"@"', `[${'{},'.repeat(16 * MB)}0]`),
  'one word': () => 'a'.repeat(50 * MB),
  yaml: () => `openapi: 3.0.3\npaths: {}\nx:\n${'  - a: some text here\n    b: [1, 2, 3]\n'.repeat((50 * MB) / 40)}`,
  tools: () => of({ paths: Object.fromEntries(Array.from({ length: 4000 }, (_, index) => [`/p${index}`, { get: { ...get, parameters } }])), components: { parameters: Object.fromEntries(large) } }), // prettier-ignore
  'too much': () => of({ 'x-a': 'a'.repeat(65 * MB) }),
};

const [, , name = '', limit] = process.argv;
const text = (documents[name] as () => string)();
const started = performance.now();
const outcome = await compileInWorker({ name: 'svc', text }, limit === undefined ? {} : { limitMs: Number(limit) }).then(
  (compiled) => compiled.operations.length,
  (error: DocumentError) => error.code,
);
console.log(JSON.stringify({ outcome, ms: performance.now() - started, peakMb: process.resourceUsage().maxRSS / 1024 }));
process.exit(0);
