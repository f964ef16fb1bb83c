import type { SemanticStatus } from '../core/contracts/semantics.ts';
import { Readings } from './metric-cells.ts';

/** Which rung answers for each model that is asked for, as gauges: a rung that was lost is seen by who never looks at a search. */
export function semanticReadings(status: () => readonly SemanticStatus[]): readonly Readings[] {
  return [
    new Readings('hubgate_semantic_rung', 'The rung of embeddings that answers for a model that is asked for: always 1.', () =>
      status().map(({ requested, active, model = '' }) => ({ labels: { requested, active, model }, value: 1 })),
    ),
    new Readings('hubgate_semantic_degraded', '1 while another model answers than the one that is asked for.', () =>
      status().map(({ requested, degraded }) => ({ labels: { requested }, value: degraded ? 1 : 0 })),
    ),
  ];
}
