import { expect, it } from 'vitest';
import { examineDocument, importReport, operationReports } from '../../../../src/lanes/tools/report.ts';
import type { CompileProgress } from '../../../../src/lanes/tools/openapi/types.ts';

const document = (paths: object, rest: object = {}): string =>
  JSON.stringify({ openapi: '3.0.3', info: { title: 'T', version: '1' }, servers: [{ url: 'https://a.test' }], paths, ...rest });

it('has each operation with its warnings, costs and cuts, or why it is left out', async () => {
  const text = document({
    '/things/{id}': {
      parameters: [{ name: 'extra', in: 'path', required: true, schema: { type: 'string' } }],
      get: { operationId: 'get', description: 'word '.repeat(1000), responses: {} },
      put: { operationId: 'put', parameters: [{ $ref: '#/components/parameters/none' }], responses: {} },
      delete: { operationId: 'delete', parameters: [{ in: 'query' }], responses: {} },
    },
    '/plain': { get: { operationId: 'plain', responses: {} } },
  });
  const { compiled, report } = await examineDocument('a.json', { text, name: 'svc' });
  const operations = operationReports(compiled!);
  const of = (method: string, path = '/things/{id}') => operations.find((one) => one.method === method && one.path === path)!;
  expect(operations).toHaveLength(4);
  expect(of('GET', '/plain')).toEqual({
    method: 'GET',
    path: '/plain',
    tool: 'plain',
    risk: 'read',
    tokens: expect.any(Number),
    warnings: [],
  });
  expect(of('GET')).toMatchObject({ tool: 'get', shortened: ['the end of the description'] });
  expect(of('GET').tokens).toBeGreaterThan(of('GET', '/plain').tokens!);
  expect(of('PUT').leftOut ?? of('PUT').warnings[0]).toMatchObject({ pointer: expect.stringContaining('/paths/~1things~1{id}/put'), code: 'dangling_reference' }); // prettier-ignore
  const lying = operations.flatMap(({ warnings }) => warnings);
  for (const warning of report.warnings.filter(({ pointer }) => pointer.startsWith('/paths/'))) expect(lying).toContainEqual(warning);
  for (const { method, warnings } of operations)
    for (const { pointer } of warnings) expect(['parameters', method.toLowerCase()]).toContain(pointer.split('/')[3]);
});

it('says what is left out of a large tool', async () => {
  const field = { type: 'string', description: `Said. ${'And more. '.repeat(20)}`, example: 'x' };
  const schema = { type: 'object', properties: Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`field${index}`, field])) };
  const post = { operationId: 'large', requestBody: { content: { 'application/json': { schema } } }, responses: {} };
  const { compiled } = await examineDocument('a.json', { text: document({ '/a': { post } }), name: 'svc' });
  expect(operationReports(compiled!)[0]?.shortened).toEqual(['examples', 'descriptions after their first sentence']);
});

it('of an import has what DESIGN 2.1 says, and nothing else', async () => {
  expect(Object.keys(await importReport('a.json', { text: document({}), name: 'svc' }))).toEqual([
    'file',
    'ok',
    'document',
    'tools',
    'warnings',
    'leftOut',
  ]);
  const bad = await importReport('a.json', { text: '{"openapi": 3', name: 'svc' });
  expect(Object.keys(bad)).toEqual(['file', 'ok', 'tools', 'warnings', 'leftOut', 'error']);
  expect(Object.keys(bad.error!)).toEqual(['code', 'message', 'line']);
});

it('is told on the way how far it is', async () => {
  const told: CompileProgress[] = [];
  const paths = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`/p${index}`, { get: { responses: {} } }]));
  await examineDocument('a.json', { text: document(paths), name: 'svc' }, { onProgress: (progress) => told.push(progress) });
  expect(told[0]).toEqual({ done: 0, operations: 50 });
});
