import type { AnyCall } from '../core/call.ts';
import { definePolicy } from '../core/contracts/policy.ts';

/** One log line per call: who called what through which door, how it ended, how long it took. No arguments, no results. */
export default definePolicy<{ readonly level?: 'debug' | 'info' }>({
  name: 'access-log',
  stage: 'observe',
  options: {
    type: 'object',
    additionalProperties: false,
    properties: { level: { enum: ['debug', 'info'], description: 'The level of the lines. Default: info.' } },
  },
  create({ level = 'info' }, host) {
    const write = level === 'info' ? host.log.info.bind(host.log) : host.log.debug.bind(host.log);
    return {
      onEnd(call, outcome) {
        const line: Record<string, unknown> = {
          call: call.id,
          lane: call.lane,
          operation: call.operation,
          route: call.route,
          consumer: call.consumer.name,
          ms: outcome.durationMs,
          outcome: outcome.error?.code ?? (outcome.failed === true ? 'failed' : 'ok'),
        };
        const target = targetOf(call);
        if (target !== '') line['target'] = target;
        if (outcome.attempts > 1) line['attempts'] = outcome.attempts;
        if (outcome.error?.rule !== undefined) line['rule'] = outcome.error.rule;
        if (outcome.error?.detail !== undefined) line['detail'] = outcome.error.detail;
        write(line, 'call');
      },
    };
  },
});

/** Names come from callers: an unknown one may be of any length. */
const LONGEST_NAME = 200;

function targetOf(call: AnyCall): string {
  if (call.lane === 'tools') return call.input.name.slice(0, LONGEST_NAME);
  return call.lane === 'models' ? call.input.model : call.input.agent;
}
