import type { IncomingMessage } from 'node:http';
import { isIP, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { GatewayError } from '../core/errors.ts';

/** Names under which this hub may be addressed, and sites whose pages may call it. Loopback is always allowed in both. */
export interface EdgeRules {
  /** `name` for any port, or `name:port`. */
  readonly allowedHosts: readonly string[];
  /** `scheme://host[:port]`. */
  readonly allowedOrigins: readonly string[];
  readonly publicUrl?: string;
}

const HOST = /^(\[[0-9a-f:.]+\]|[^\s:@/\\?#[\]]+)(?::(\d{1,5}))?$/;

/**
 * The Host and Origin rule (DNS rebinding: CVE-2025-66414, MCP transports). A page that a name of ours served may call that name. Keeps the
 * last names that passed, since most callers come under one name.
 */
export class Gate {
  /** The address that the server listens on. */
  bound = '';
  #rules: EdgeRules | undefined;
  #hosts: ReadonlySet<string> = new Set();
  #origins: ReadonlySet<string> = new Set();
  #passedHost: string | undefined;
  #passedOrigin: string | undefined;

  /** Throws GatewayError `host_not_allowed` or `origin_not_allowed`. */
  check(req: IncomingMessage, rules: EdgeRules): void {
    if (rules !== this.#rules) this.#read(rules);
    const { host, origin } = req.headers;
    if (host === undefined || host !== this.#passedHost) {
      if (!this.#takesHost(host)) throw new GatewayError('host_not_allowed');
      this.#passedHost = host;
      this.#passedOrigin = undefined;
    }
    if (origin === undefined || origin === this.#passedOrigin) return;
    if (!this.#takesOrigin(origin, host)) throw new GatewayError('origin_not_allowed');
    this.#passedOrigin = origin;
  }

  #read(rules: EdgeRules): void {
    const own = rules.publicUrl === undefined ? null : URL.parse(rules.publicUrl);
    this.#hosts = new Set([...rules.allowedHosts.map((host) => host.toLowerCase()), ...(own ? [own.hostname] : [])]);
    this.#origins = new Set([...rules.allowedOrigins.map(plainOrigin), ...(own ? [own.origin] : [])]);
    this.#passedHost = undefined;
    this.#passedOrigin = undefined;
    this.#rules = rules;
  }

  #takesHost(header: string | undefined): boolean {
    const [, name, port] = HOST.exec(header?.toLowerCase() ?? '') ?? [];
    if (name === undefined) return false;
    if (isLoopback(name) || this.#hosts.has(name) || this.#hosts.has(`${name}:${port}`)) return true;
    const bare = name.replace(/^\[|\]$/g, '');
    if (bare === this.bound.toLowerCase()) return true;
    return isIP(bare) !== 0 && !isLoopback(this.bound) && ownAddresses().has(bare);
  }

  #takesOrigin(origin: string, host: string | undefined): boolean {
    if (this.#origins.has(plainOrigin(origin))) return true;
    const url = URL.parse(origin);
    if (url === null || !/^https?:$/.test(url.protocol)) return false;
    return isLoopback(url.hostname) || url.host === host?.toLowerCase();
  }
}

/** A name or address that leads to this machine only, as it stands: nobody is asked what a name means. */
export function isLoopback(name: string): boolean {
  const plain = name.replace(/\.$/, '');
  return (
    plain === 'localhost' ||
    plain.endsWith('.localhost') ||
    plain === '[::1]' ||
    plain === '::1' ||
    (isIPv4(plain) && plain.startsWith('127.'))
  );
}

function ownAddresses(): Set<string> {
  return new Set(Object.values(networkInterfaces()).flatMap((list) => list?.map((entry) => entry.address) ?? []));
}

/** Origins of browsers have no trailing slash; people write one. */
function plainOrigin(origin: string): string {
  return origin.toLowerCase().replace(/\/$/, '');
}
