import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { place } from '../../../bench/targets.ts';

const read = (file: string): unknown => JSON.parse(readFileSync(place(`peers/${file}`), 'utf8'));

describe('bench/peers', () => {
  it('pins the gateway that the notes name, and no address to get it from', () => {
    const { dependencies } = read('package.json') as { dependencies: Record<string, string> };
    expect(dependencies).toEqual({ '@portkey-ai/gateway': '1.15.2' });
    const { packages } = read('package-lock.json') as { packages: Record<string, { version?: string; resolved?: string }> };
    expect(packages['node_modules/@portkey-ai/gateway']!.version).toBe('1.15.2');
    // With a newer one it answers every stream with 500.
    const servers = Object.entries(packages).filter(([path]) => path.endsWith('/@hono/node-server'));
    expect(servers.map(([, { version }]) => version)).toEqual(['1.13.8']);
    expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });
});
