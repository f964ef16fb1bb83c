import { expect, it, vi } from 'vitest';
import type { Logger } from '../../../src/core/logger.ts';
import { letGo, SourceUses } from '../../../src/pipeline/source-uses.ts';

function source(name: string, fails = false) {
  const gone = vi.fn(async () => {
    if (fails) throw new Error('stuck');
  });
  return { name, gone, [Symbol.asyncDispose]: gone };
}

const log = { error: vi.fn() } as unknown as Logger;

it('lets go of a source with the last generation that has it', async () => {
  const uses = new SourceUses();
  const [kept, old, fresh] = [source('kept'), source('old'), source('fresh')];
  uses.add([kept, old]);
  uses.add([kept, fresh]);
  await uses.release([kept, old], log);
  expect([kept, old, fresh].map(({ gone }) => gone.mock.calls.length)).toEqual([0, 1, 0]);
  await uses.release([kept, fresh], log);
  expect([kept, old, fresh].map(({ gone }) => gone.mock.calls.length)).toEqual([1, 1, 1]);
});

it('tells the log of a source that cannot be let go, and goes on with the others', async () => {
  const uses = new SourceUses();
  const [bad, good] = [source('bad', true), source('good')];
  uses.add([bad, good]);
  await uses.release([bad, good], log);
  expect(good.gone).toHaveBeenCalledOnce();
  expect(log.error).toHaveBeenCalledWith({ source: 'bad', err: expect.any(Error) }, 'the source could not be let go');
});

it('takes sources that have nothing to let go of', async () => {
  await expect(letGo({ name: 'plain' }, log)).resolves.toBeUndefined();
});
