import { isIPv4 } from 'node:net';
import { domainToUnicode } from 'node:url';

/** True when a text names one of the hosts, in whatever spelling. */
export type NamesHost = (text: string) => boolean;

/** Names of hosts shorter than this are looked for as whole words only: they would be found in innocent ones. */
const DISTINCT = 8;
/** Rounds of percent-encoding that are undone; what is wrapped deeper is hiding something. */
const DEEPEST = 8;
/** One machine by three names: whoever hides one of them hides all. */
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
const BREAKS = /[\s"'<>(){}|\\^`,;=&?#/@%]+/;

/**
 * Finds hosts in any text: with and without port, in URLs and beside them, in any case, percent-encoded, in Unicode or punycode, addresses in all the
 * spellings that URLs allow. `hosts` are names, `host:port` or URLs. A name of one plain word, such as `agent`, is found only where it stands as an
 * address: after `//` or `@`, or with a port.
 */
export function createHostFinder(hosts: readonly string[]): NamesHost {
  const given = hosts.map(hostOf).filter((name) => name !== '');
  const names = [...new Set(given.some(isLoopback) ? [...given, ...LOOPBACK] : given)];
  const patterns = names.flatMap(patternsOf);
  const addresses = new Set(names.filter((name) => name.includes(':') || isIPv4(name)));

  const isIn = (text: string): boolean =>
    patterns.some((pattern) => pattern.test(text)) ||
    (addresses.size > 0 && text.split(BREAKS).some((word) => addresses.has(addressIn(word.replace(/\.$/, '')))));

  return (text) => {
    let form = folded(text);
    for (let round = 0; round < DEEPEST; round++) {
      if (isIn(form)) return true;
      const next = folded(decoded(form));
      if (next === form) return false;
      form = next;
    }
    return true;
  };
}

/** The host of a URL in one spelling: lower case, no brackets, an IPv4 address in IPv6 as IPv4. */
export function plainHost(hostname: string): string {
  const name = hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(name);
  if (mapped === null) return name.replace(/\.$/, '');
  return mapped
    .slice(1)
    .flatMap((half) => [Number.parseInt(half, 16) >> 8, Number.parseInt(half, 16) & 255])
    .join('.');
}

function hostOf(host: string): string {
  const url = host.includes('://') ? URL.parse(host) : (URL.parse(`http://${host}`) ?? URL.parse(`http://[${host}]`));
  // Not a host of the network: a service inside the process.
  return url === null || url.hostname === '' ? host.toLowerCase() : plainHost(url.hostname);
}

function isLoopback(name: string): boolean {
  return LOOPBACK.includes(name) || (isIPv4(name) && name.startsWith('127.'));
}

function patternsOf(host: string): RegExp[] {
  return [...new Set([host, folded(domainToUnicode(host) || host)])].map((name) => {
    const written = RegExp.escape(name);
    if (isIPv4(name)) return new RegExp(`(?<![0-9])${written}(?![0-9])`, 'u');
    if (name.includes(':'))
      return name.length < DISTINCT ? new RegExp(`(?<![0-9a-f:])${written}(?![0-9a-f:])`, 'u') : new RegExp(written, 'u');
    if (name.includes('.') && name.length >= DISTINCT) return new RegExp(written, 'u');
    if (name.includes('.') || name === 'localhost') return new RegExp(`(?<![a-z0-9-])${written}(?![a-z0-9-])`, 'u');
    return new RegExp(String.raw`(?:[/\\]{2}|@)${written}(?![a-z0-9_-]|\.[a-z0-9])|(?<![a-z0-9_.-])${written}\.?:[0-9]`, 'u');
  });
}

/** As URLs are read: IDNA folds case and width and drops what cannot be seen, the parser drops tabs and line breaks. */
function folded(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\p{Cf}\p{Default_Ignorable_Code_Point}\t\r\n]/gu, '')
    .replaceAll('\u3002', '.');
}

function decoded(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
}

/** The address that a word is, with or without a port; empty for other words. */
function addressIn(word: string): string {
  if (!/^[[\]0-9a-fx.:]+$/.test(word)) return '';
  const url = URL.parse(`http://${word}`) ?? URL.parse(`http://[${word}]`);
  return url === null ? '' : plainHost(url.hostname);
}
