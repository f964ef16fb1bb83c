import { describe, expect, it } from 'vitest';
import type { Degraded, SemanticStatus } from '../../../../src/core/contracts/semantics.ts';
import { untilReady, type Readiness } from '../../../../src/gateway/evaluation/until-ready.ts';

type Answer = { readonly model?: string; readonly degraded?: Degraded };
const semantics = (...models: SemanticStatus[]): Readiness => ({ settled: async () => {}, status: () => models });
const model = (more: Partial<SemanticStatus>): SemanticStatus => ({
  requested: 'auto',
  active: 'static',
  model: 's@1',
  degraded: false,
  ...more,
});

async function asked(readiness: Readiness, ...answers: Answer[]): Promise<number> {
  let count = 0;
  await untilReady(readiness, async () => answers[Math.min(count++, answers.length - 1)]!, 300);
  return count;
}

describe('untilReady', () => {
  it('asks once where the model answers, and where words alone were asked for', async () => {
    expect(await asked(semantics(model({})), { model: 's@1' })).toBe(1);
    expect(await asked(semantics({ requested: 'none', active: 'bm25', degraded: false }), {})).toBe(1);
  });

  it('waits for the vectors of a better model, that auto says nothing of', async () => {
    expect(await asked(semantics(model({ model: 'mini@1' })), { model: 's@1' }, { model: 's@1' }, { model: 'mini@1' })).toBe(3);
  });

  it('waits for what is on its way, and not for what is missing', async () => {
    const degraded = { requested: 'mini', active: 'static', reason: 'it is embedding 4 of 9 texts' };
    expect(await asked(semantics(model({ requested: 'mini', model: 'mini@1' })), { model: 's@1', degraded }, { model: 'mini@1' })).toBe(2);
    expect(await asked(semantics(model({ requested: 'mini', degraded: true })), { model: 's@1', degraded })).toBe(1);
  });

  it('gives up with what it waits for', async () => {
    const degraded = { requested: 'mini', active: 'bm25', reason: 'it is embedding 4 of 9 texts' };
    await expect(asked(semantics(model({ requested: 'mini' })), { degraded })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'The model is not ready. it is embedding 4 of 9 texts',
    });
  });
});
