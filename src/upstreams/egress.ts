import dns from 'node:dns';
import type { LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { GatewayError } from '../core/errors.ts';
import type { UpstreamRequest } from '../core/upstream.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Trust = UpstreamRequest['trust'];

export interface EgressOptions {
  /** CIDR, address, or `host:port`. */
  readonly allow: readonly string[];
  /** Ports that this hub listens on. */
  readonly ownPorts: readonly number[];
}

/** Which addresses the hub may connect to. Immutable: changed rules are a new object, and connections made under the old one are not used again. */
export interface Egress {
  /** Throws GatewayError `egress_refused`. `host` is the name that led to the address, as an allow line may have it. */
  checkAddress(ip: string, port: number, trust: Trust, host?: string): void;
  /** Resolves a name once and gives back only checked addresses: one that may not be reached refuses them all. */
  lookup(port: number, trust: Trust): LookupFunction;
}

interface AllowList {
  /** `address` or `address port`: what may be link-local or a metadata service. */
  readonly single: ReadonlySet<string>;
  readonly ranges: readonly (readonly [Address, number])[];
  /** `name:port`, lower case. */
  readonly names: ReadonlySet<string>;
}

/** Services that hand out a machine's credentials and lie outside the link-local ranges: AWS and Google over IPv6, Alibaba, Oracle, Azure. */
const METADATA = new Set(['fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '192.0.0.192', '168.63.129.16']);
const GLOBAL_UNICAST: [Address, number] = ipaddr.parseCIDR('2000::/3');
const IPV4_COMPATIBLE: [Address, number] = ipaddr.parseCIDR('::/96');
const NAT64: [Address, number] = ipaddr.parseCIDR('64:ff9b::/96');

/** Builds the rules of one configuration. Throws GatewayError `bad_request` on an allow line that cannot be read. */
export function createEgress(options: EgressOptions): Egress {
  const allow = readAllow(options.allow);
  const ownPorts = new Set(options.ownPorts);

  function checkAddress(ip: string, port: number, trust: Trust, host?: string): void {
    const address = parse(ip);
    const shown = host === undefined || host === ip ? at(ip, port) : `${host} (${at(ip, port)})`;
    if (address === undefined) throw new GatewayError('egress_refused', `"${ip}" is not an IP address.`);
    const inner = embedded(address) ?? address;
    if (ownPorts.has(port) && (isThisMachine(inner) || isThisMachine(address))) {
      throw refusal(
        shown,
        'is a port of this hub, which it never calls over the network. To serve the admin API as a service use baseUrl: hub:admin',
      );
    }
    const singly = allow.single.has(address.toString()) || allow.single.has(`${address.toString()} ${port}`);
    if (singly) return;
    const line = `To allow it, list it by itself: egress: { allow: ["${at(address.toString(), port)}"] }`;
    if (isGuarded(inner) || isGuarded(address)) throw refusal(shown, `is a link-local or metadata address. ${line}`);
    if (trust === 'operator' || isPublic(address, inner)) return;
    if (allow.ranges.some((range) => within(address, range))) return;
    if (host !== undefined && allow.names.has(`${host.toLowerCase()}:${port}`)) return;
    throw refusal(shown, `is not a public address, and it was not named in the operator's own files. ${line}`);
  }

  function lookup(port: number, trust: Trust): LookupFunction {
    return (hostname, { family, hints }, callback) => {
      dns.lookup(hostname, { all: true, ...(family && { family }), ...(hints && { hints }) }, (error, addresses) => {
        if (error) return callback(error, []);
        try {
          for (const { address } of addresses) checkAddress(address, port, trust, hostname);
        } catch (refused) {
          return callback(refused as Error, []);
        }
        return callback(null, addresses);
      });
    };
  }

  return { checkAddress, lookup };
}

function refusal(shown: string, why: string): GatewayError {
  return new GatewayError('egress_refused', `The hub may not connect to ${shown}: it ${why}.`);
}

function at(ip: string, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

function parse(ip: string): Address | undefined {
  const plain = ip.replace(/%.*$/, '');
  return ipaddr.isValid(plain) ? ipaddr.process(plain) : undefined;
}

function within(address: Address, range: readonly [Address, number]): boolean {
  return address.kind() === range[0].kind() && address.match(range[0], range[1]);
}

/** The IPv4 address that an IPv6 address stands for (NAT64, 6to4, translated, compatible). IPv4-mapped ones are IPv4 since `parse`. */
function embedded(address: Address): Address | undefined {
  if (!(address instanceof ipaddr.IPv6)) return undefined;
  const bytes = address.toByteArray();
  const range = address.range();
  if (range === '6to4') return ipaddr.fromByteArray(bytes.slice(2, 6));
  const atEnd = range === 'rfc6052' || range === 'rfc6145' || (within(address, IPV4_COMPATIBLE) && range === 'unicast');
  return atEnd ? ipaddr.fromByteArray(bytes.slice(12)) : undefined;
}

function isGuarded(address: Address): boolean {
  return address.range() === 'linkLocal' || METADATA.has(address.toString());
}

function isPublic(address: Address, inner: Address): boolean {
  if (inner.range() !== 'unicast') return false;
  if (address.kind() === 'ipv4') return true;
  if (address === inner) return within(address, GLOBAL_UNICAST);
  return address.range() === '6to4' || within(address, NAT64);
}

function isThisMachine(address: Address): boolean {
  const range = address.range();
  if (range === 'loopback' || range === 'unspecified') return true;
  return Object.values(networkInterfaces()).some((list) => list?.some((entry) => parse(entry.address)?.toString() === address.toString()));
}

function readAllow(lines: readonly string[]): AllowList {
  const single = new Set<string>();
  const names = new Set<string>();
  const ranges: [Address, number][] = [];
  for (const line of lines) {
    const address = parse(line);
    const [, host, port] = /^(\[[^\]]+\]|[^:/\s]+):(\d{1,5})$/.exec(line) ?? [];
    const hostAddress = host && parse(host.replace(/^\[|\]$/g, ''));
    if (address) single.add(address.toString());
    else if (hostAddress) single.add(`${hostAddress.toString()} ${port}`);
    else if (host) names.add(line.toLowerCase());
    else if (ipaddr.isValidCIDR(line)) {
      const [base, bits] = ipaddr.parseCIDR(line);
      ranges.push([base, bits]);
      if (bits === (base.kind() === 'ipv4' ? 32 : 128)) single.add(base.toString());
    } else throw new GatewayError('bad_request', `egress.allow: "${line}" is neither a range such as 10.0.0.0/8 nor host:port.`);
  }
  return { single, names, ranges };
}
