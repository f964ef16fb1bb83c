import { compileDocument } from '../../../../../src/lanes/tools/openapi/compile.ts';
import type { CompiledOperation, CompiledService, CompileInput } from '../../../../../src/lanes/tools/openapi/types.ts';

export type Part = Record<string, unknown>;

/** Compiles a small 3.0.3 document with one operation, `POST` when it has a body. */
export function compileOne(
  operation: Part,
  options: { path?: string; root?: Part; input?: Partial<CompileInput> } = {},
): CompiledOperation {
  const { path = '/things', root = {}, input = {} } = options;
  const method = operation['requestBody'] === undefined ? 'get' : 'post';
  const service = compileTree({ paths: { [path]: { [method]: { operationId: 'one', ...operation } } }, ...root }, input);
  const [first] = service.operations;
  if (first === undefined) throw new Error(JSON.stringify(service.leftOut));
  return first;
}

export function compileTree(root: Part, input: Partial<CompileInput> = {}): CompiledService {
  const base = root['swagger'] === undefined ? { openapi: '3.0.3', servers: [{ url: 'https://api.test/v1' }] } : {};
  return compileDocument({ name: 'svc', text: JSON.stringify({ ...base, info: { title: 'T', version: '1' }, ...root }), ...input });
}
