import { sessionCalls, statelessCalls } from './requests.ts';
import type { Target } from './targets.ts';

/** One way of calling that is measured. */
export interface Style {
  readonly name: string;
  /** Its name in the bench kit. */
  readonly kit: string;
  requests(target: Target, origin: string, connections: number): Promise<string[]>;
}

export interface Scenario {
  readonly title: string;
  /** Names of targets. The first is what is judged, the others what it is compared with. */
  readonly targets: readonly [string, ...string[]];
  readonly styles: readonly Style[];
  /** By the name of a target: what the CPU of a call may be at most, as a multiple of that target's. */
  readonly goals: ReadonlyMap<string, number>;
  readonly connections: number;
  /** Text of every good answer. */
  readonly expect: string;
  readonly note: string;
}

export const scenarios: ReadonlyMap<string, Scenario> = new Map<string, Scenario>([
  [
    'tools',
    {
      title: 'tools/call over an OpenAPI service',
      targets: ['hubgate', 'sdk2-rest', 'mcp-raw-rest'],
      styles: [
        { name: 'MCP 2026-07-28', kit: 'mcp26', requests: statelessCalls },
        { name: 'MCP 2025-11-25', kit: 'mcp25', requests: sessionCalls },
      ],
      goals: new Map([
        ['sdk2-rest', 0.2],
        ['mcp-raw-rest', 2],
      ]),
      connections: 32,
      expect: 'Rex',
      note:
        'hubgate: key, access list, validation of arguments and access log on. sdk2-rest: createMcpHandler of the MCP SDK v2 with none of it; ' +
        'it answers 2025-11-25 through its stateless fallback, without a session. mcp-raw-rest: JSON-RPC by hand over node:http, with none of it.',
    },
  ],
]);
