import type { Call, Lane } from '../core/call.ts';
import type { ConditionContext } from '../core/conditions.ts';

/** What of a call an expression asks about. `route` is empty while none is chosen. */
export type Questioned = Pick<Call<Lane>, 'lane' | 'operation' | 'route' | 'consumer' | 'request' | 'startedAt'> & {
  readonly model?: string | undefined;
  /** The texts of the input. */
  segments(): Iterable<{ readonly text: string }>;
};

/** The values of an expression. Texts are put together only for one that asks for them. */
export function conditionContext(asked: Questioned, more?: Pick<ConditionContext, 'tool' | 'args'>): ConditionContext {
  const { lane, operation, route, consumer, request, startedAt, model } = asked;
  return {
    consumer,
    request: { headers: request.headers as Record<string, string>, ip: request.ip, time: new Date(startedAt) },
    call: {
      lane,
      route,
      operation,
      size: request.size,
      ...(model === undefined ? {} : { model }),
      get text() {
        return Array.from(asked.segments(), (segment) => segment.text).join('\n');
      },
    },
    ...more,
  };
}
