import dns from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { networkInterfaces } from 'node:os';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GatewayError } from '../../../src/core/errors.ts';
import { createEgress } from '../../../src/upstreams/egress.ts';
import type { EgressOptions, Trust } from '../../../src/upstreams/egress.ts';

function verdict(ip: string, trust: Trust, options: Partial<EgressOptions> = {}, port = 80, host?: string): string {
  try {
    createEgress({ allow: [], ownPorts: [8700, 8701], ...options }).checkAddress(ip, port, trust, host);
    return 'ok';
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).code).toBe('egress_refused');
    return (error as GatewayError).message;
  }
}

const PUBLIC = ['8.8.8.8', '1.1.1.1', '2606:4700::1111', '64:ff9b::8.8.8.8', '2002:0808:0808::1', '::ffff:8.8.8.8'];
const INTERNAL = [
  '127.0.0.1', '127.8.8.8', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '0.0.0.0', '192.0.2.1', '198.18.0.1', '224.0.0.1',
  '255.255.255.255', '240.0.0.1', '::1', '::', 'fc00::1', 'fd12::1', 'fec0::1', 'ff02::1', '2001:db8::1', '::ffff:10.1.2.3', '::ffff:127.0.0.1', '64:ff9b::10.1.2.3',
  '64:ff9b:1::8.8.8.8', '2002:0a01:0203::1', '2002:7f00:0001::', '::10.1.2.3', '::127.0.0.1', '2001:0:4136:e378:8000:63bf:3fff:fdd2', '4000::1', '::ffff:0:10.0.0.1',
]; // prettier-ignore
const GUARDED = [
  '169.254.169.254', '169.254.1.1', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254', '100.100.100.200', '192.0.0.192', '168.63.129.16', '::ffff:169.254.169.254',
  '64:ff9b::169.254.169.254', '2002:a9fe:a9fe::1', '::169.254.169.254',
]; // prettier-ignore

describe('addresses', () => {
  it.each(PUBLIC)('public %s is free for all', (ip) => {
    expect([verdict(ip, 'public'), verdict(ip, 'operator')]).toEqual(['ok', 'ok']);
  });

  it.each(INTERNAL)('internal %s is for the operator only', (ip) => {
    expect(verdict(ip, 'operator')).toBe('ok');
    expect(verdict(ip, 'public')).toMatch(/is not a public address.*egress: \{ allow: \["/);
  });

  it.each(GUARDED)('%s is for nobody', (ip) => {
    for (const trust of ['operator', 'public'] as const) expect(verdict(ip, trust)).toMatch(/link-local or metadata.*list it by itself/);
  });

  it('has no gap in the private IPv4 ranges, however they are spelled', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const privates = fc.oneof(
      fc.tuple(fc.constant(10), octet, octet, octet),
      fc.tuple(fc.constant(127), octet, octet, octet),
      fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
    );
    fc.assert(
      fc.property(privates, (parts) => {
        const hex = parts.map((part) => part.toString(16).padStart(2, '0')).join('');
        const pair = `${hex.slice(0, 4)}:${hex.slice(4)}`;
        for (const ip of [parts.join('.'), `::ffff:${pair}`, `64:ff9b::${pair}`, `2002:${pair}::`, `::${pair}`])
          expect(verdict(ip, 'public')).not.toBe('ok');
      }),
    );
  });

  it('refuses what is no address', () => {
    expect(verdict('example.com', 'operator')).toMatch(/not an IP address/);
  });
});

describe('own ports', () => {
  const own = Object.values(networkInterfaces()).flatMap((list) => list?.map((entry) => entry.address) ?? []);

  it.each(['127.0.0.1', '127.1.1.1', '::1', '0.0.0.0', '::', '::ffff:127.0.0.1', ...own])('of %s are never called, listed or not', (ip) => {
    const allow = [ip.includes(':') ? `[${ip}]:8700` : `${ip}:8700`, '127.0.0.0/8', ip];
    for (const trust of ['operator', 'public'] as const) expect(verdict(ip, trust, { allow }, 8700)).toMatch(/port of this hub.*hub:admin/);
    expect(verdict(ip, 'operator', { allow }, 8702)).toBe('ok');
  });

  it('of another machine are just ports', () => {
    expect(verdict('8.8.8.8', 'public', {}, 8700)).toBe('ok');
  });
});

describe('egress.allow', () => {
  it('opens ranges, addresses and names with a port', () => {
    expect(verdict('10.1.2.3', 'public', { allow: ['10.0.0.0/8'] })).toBe('ok');
    expect(verdict('::ffff:10.1.2.3', 'public', { allow: ['10.0.0.0/8'] })).toBe('ok');
    expect(verdict('10.1.2.3', 'public', { allow: ['10.1.2.3:80'] })).toBe('ok');
    expect(verdict('10.1.2.3', 'public', { allow: ['10.1.2.3:8080'] })).not.toBe('ok');
    expect(verdict('fd12::1', 'public', { allow: ['[fd12::1]:80'] })).toBe('ok');
    expect(verdict('fd12::1', 'public', { allow: ['fd12::/16'] })).toBe('ok');
    expect(verdict('10.1.2.3', 'public', { allow: ['billing.internal:80'] }, 80, 'Billing.Internal')).toBe('ok');
    expect(verdict('10.1.2.3', 'public', { allow: ['billing.internal:81'] }, 80, 'billing.internal')).not.toBe('ok');
    expect(verdict('11.1.2.3', 'public', { allow: ['12.0.0.0/8'] })).toBe('ok');
  });

  it('opens link-local and metadata addresses one by one only', () => {
    const ip = '169.254.169.254';
    for (const allow of ['169.254.0.0/16', '0.0.0.0/0', 'metadata.internal:80', '169.254.169.254:81']) {
      expect(verdict(ip, 'operator', { allow: [allow] }, 80, 'metadata.internal')).not.toBe('ok');
    }
    for (const allow of [ip, `${ip}:80`, `${ip}/32`]) expect(verdict(ip, 'public', { allow: [allow] })).toBe('ok');
  });

  it('is advised in words that work', () => {
    for (const [ip, trust] of [...INTERNAL.map((ip) => [ip, 'public'] as const), ...GUARDED.map((ip) => [ip, 'operator'] as const)]) {
      const line = /allow: \["([^"]+)"\]/.exec(verdict(ip, trust))?.[1] as string;
      expect([ip, line, verdict(ip, trust, { allow: [line] })]).toEqual([ip, line, 'ok']);
    }
  });

  it.each(['', 'example.com', '10.0.0.0/33', 'http://x:80', '10.0.0.0/8:80'])('refuses the line %j', (line) => {
    expect(() => createEgress({ allow: [line], ownPorts: [] })).toThrow(/egress\.allow/);
  });
});

describe('lookup', () => {
  afterEach(() => vi.restoreAllMocks());

  function resolveTo(...addresses: string[]): void {
    const found = addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }));
    vi.spyOn(dns, 'lookup').mockImplementation(((
      _name: string,
      _options: object,
      callback: (error: null, found: LookupAddress[]) => void,
    ) => callback(null, found)) as unknown as typeof dns.lookup);
  }

  function lookup(trust: Trust): Promise<unknown> {
    return new Promise((resolve, reject) => {
      createEgress({ allow: [], ownPorts: [] }).lookup(443, trust)('rebind.example.com', { all: true }, (error, found) =>
        error ? reject(error) : resolve(found),
      );
    });
  }

  it('refuses all when one address is refused, and names host and address', async () => {
    resolveTo('8.8.8.8', '10.1.2.3');
    await expect(lookup('public')).rejects.toThrow(/rebind\.example\.com \(10\.1\.2\.3:443\)/);
    await expect(lookup('operator')).resolves.toHaveLength(2);
  });

  it('asks once and hands on what it has checked', async () => {
    resolveTo('8.8.8.8');
    await expect(lookup('public')).resolves.toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(dns.lookup).toHaveBeenCalledTimes(1);
  });
});
