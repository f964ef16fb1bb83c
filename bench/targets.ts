import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program that answers MCP calls. */
export interface Target {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where it answers MCP. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Answers 200 when the program is ready; absent: ready when its port is open. */
  readonly readyPath?: string;
}

/** Builds the target for a free port and the address of the REST service behind it. */
export type MakeTarget = (port: number, upstream: string) => Target;

const KEY = 'bench-key-3f1c9f0a7d';
const place = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Runs a script of bench/reference on the Node that runs this. */
const reference =
  (script: string, env: Record<string, string> = {}): MakeTarget =>
  (port, upstream) => ({
    command: [process.execPath, place(`reference/${script}`)],
    env: { PORT: String(port), UPSTREAM: upstream, ...env },
    path: '/mcp',
    headers: {},
  });

/**
 * The hub with a key, an access list with a denied risk, validation of arguments and an access log on. Its folder is a new one
 * below the system's temporary folder,
 * and goes when this process ends.
 */
export const hubgate: MakeTarget = (port, upstream) => {
  const folder = mkdtempSync(join(tmpdir(), 'hubgate-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  copyFileSync(place('fixtures/openapi.json'), join(folder, 'pets.json'));
  writeFileSync(join(folder, 'hubgate.yaml'), configuration(upstream));
  const at = ['--config', join(folder, 'hubgate.yaml'), '--data', join(folder, 'data')];
  const on = ['--host', '127.0.0.1', '--port', String(port), '--admin-port', '0'];
  return {
    command: [process.execPath, place('../src/main.ts'), 'serve', ...at, ...on],
    env: {},
    path: '/mcp/pets',
    headers: { Authorization: `Bearer ${KEY}` },
    readyPath: '/readyz',
  };
};

function configuration(upstream: string): string {
  return `services:
  pets:
    spec: pets.json
    baseUrl: ${upstream}
    access:
      - { groups: [bench], allow: ["*"], deny: [{ risk: destructive }] }
      - { groups: [guests], allow: ["list*"] }
policies:
  - access-log: {}
consumers:
  - name: bench
    groups: [bench]
    keys: [{ sha256: ${createHash('sha256').update(KEY).digest('hex')} }]
`;
}

export const targets: ReadonlyMap<string, MakeTarget> = new Map([
  ['hubgate', hubgate],
  ['sdk2-rest', reference('mcp-sdk2.mjs', { REST: '1' })],
  ['mcp-raw-rest', reference('mcp-raw.mjs', { REST: '1' })],
]);

/** The REST service behind the targets. */
export const upstream = reference('upstream.mjs');
