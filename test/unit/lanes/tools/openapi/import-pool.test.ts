import { describe, expect, test } from 'vitest';
import { redefined } from '../../../../../src/core/tools.ts';
import { compileInWorker } from '../../../../../src/lanes/tools/openapi/import-pool.ts';
import { compileDocument } from '../../../../../src/lanes/tools/openapi/compile.ts';
import { DocumentError } from '../../../../../src/lanes/tools/openapi/types.ts';

const paths = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `/p${index}/{id}`,
      { get: { operationId: `op${index}`, parameters: [{ name: 'constructor', in: 'query', schema: { type: 'string' } }] } },
    ]),
  );
const document = (count: number) => JSON.stringify({ openapi: '3.0.0', info: { title: 'T', version: '1' }, paths: paths(count) });

describe('compileInWorker', () => {
  test('several documents, the same result as in process', async () => {
    const inputs = [3, 1, 2].map((count) => ({ name: 'svc', text: document(count) }));
    const compiled = await Promise.all(inputs.map((input) => compileInWorker(input)));
    expect(compiled).toEqual(inputs.map((input) => compileDocument(input)));
  });

  test('an input schema is read when somebody asks for it, and once', async () => {
    const { operations } = await compileInWorker({ name: 'svc', text: document(1) });
    const { definition } = operations[0]!.tool;
    expect(Object.getOwnPropertyDescriptor(definition, 'inputSchema')?.get).toBeTypeOf('function');
    expect(Object.keys(definition.inputSchema['properties'] as object)).toEqual(['constructor', 'id']);
    expect(definition.inputSchema).toBe(definition.inputSchema);
    expect(redefined(definition, { name: 'other' })).toEqual({ ...definition, name: 'other' });
    expect(Object.keys(redefined(definition, { name: 'other' }))).toEqual(Object.keys(definition));
  });

  test('a refusal keeps code and place, and does not stop the next', async () => {
    const [refused, fine] = await Promise.allSettled([
      compileInWorker({ name: 'svc', text: 'openapi: 3.0.0\nx: "' }),
      compileInWorker({ name: 'svc', text: document(1) }),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'invalid_yaml', line: expect.any(Number) } });
    expect((refused as PromiseRejectedResult).reason).toBeInstanceOf(DocumentError);
    expect(fine.status).toBe('fulfilled');
  });

  test('a document that takes too much memory is given up, and YAML is told why', async () => {
    const text = `openapi: 3.0.0\npaths: {}\nx:\n${'  - { a: 1, b: [2, 3] }\n'.repeat(100_000)}`;
    await expect(compileInWorker({ name: 'svc', text }, { memoryMb: 64 })).rejects.toMatchObject({
      code: 'too_expensive',
      message: 'Reading the document took more than 64 MB. YAML takes many times what JSON does: convert it.',
    });
    expect((await compileInWorker({ name: 'svc', text: document(1) })).operations).toHaveLength(1);
  });

  test('a document that takes too long is given up, and the next one gets a new worker', async () => {
    const slow = compileInWorker({ name: 'svc', text: document(5000) }, { limitMs: 1 });
    const next = compileInWorker({ name: 'svc', text: document(1) });
    await expect(slow).rejects.toMatchObject({ name: 'DocumentError', code: 'too_expensive' });
    expect((await next).operations).toHaveLength(1);
  });

  test('a document nested beyond the stack is refused', async () => {
    const deep = `{"openapi":"3.0.0","paths":{"/a":{"get":{"parameters":[{"name":"a","in":"query","schema":${'{"items":'.repeat(3000)}{}${'}'.repeat(3000)}}]}}}}`;
    const service = await compileInWorker({ name: 'svc', text: deep });
    expect(service.warnings).toMatchObject([{ code: 'too_deep' }]);
  });
});
