import { expect, it } from 'vitest';
import type { SemanticStatus } from '../../../src/core/contracts/semantics.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

it('the rung that answers is a gauge of now, for each model that is asked for', async () => {
  let status: readonly SemanticStatus[] = [{ requested: 'auto', active: 'transformers', model: 'MiniLM@1', dims: 384, degraded: false }];
  const metrics = createMetrics({ semantics: () => status });
  expect(await metrics.text()).toContain('hubgate_semantic_rung{requested="auto",active="transformers",model="MiniLM@1"} 1');
  status = [
    { requested: 'auto', active: 'static', model: 'hubgate-static-en@2', dims: 256, degraded: false },
    { requested: 'hub:embed', active: 'bm25', degraded: true, reason: 'It fails.' },
  ];
  const text = await metrics.text();
  expect(text).not.toContain('MiniLM');
  expect(text).toContain('hubgate_semantic_rung{requested="hub:embed",active="bm25",model=""} 1');
  expect(text).toContain('hubgate_semantic_degraded{requested="auto"} 0');
  expect(text).toContain('hubgate_semantic_degraded{requested="hub:embed"} 1');
});
