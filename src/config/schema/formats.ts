import { isIP } from 'node:net';
import { MILLISECONDS, parseDuration } from '../../core/units/duration.ts';
import { parseRate } from '../../core/units/rate.ts';
import { BYTES, parseSize } from '../../core/units/size.ts';

/** The shortest text that is read as these milliseconds. */
export function formatDuration(milliseconds: number): string {
  return formatUnit(milliseconds, MILLISECONDS);
}

/** The shortest text that is read as these bytes. */
export function formatSize(bytes: number): string {
  return formatUnit(bytes, BYTES);
}

function formatUnit(value: number, units: Readonly<Record<string, number>>): string {
  const [unit, factor] = Object.entries(units).findLast(([, size]) => value % size === 0) ?? ['', 1];
  return `${value / factor}${unit}`;
}

function isUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
}

function isEgress(text: string): boolean {
  const cidr = /^([^/]+)\/(\d{1,3})$/.exec(text);
  if (cidr) {
    const family = isIP(cidr[1] ?? '');
    return family !== 0 && Number(cidr[2]) <= (family === 4 ? 32 : 128);
  }
  const address = /^(?:\[([^\]]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text);
  return address !== null && (address[1] === undefined || isIP(address[1]) === 6) && Number(address[3]) <= 65_535;
}

interface Format {
  test(text: string): boolean;
  /** What a text must be, as a sentence for people. */
  readonly hint: string;
}

const pattern = (expression: RegExp, hint: string): Format => ({ test: (text) => expression.test(text), hint });

/** The formats that the schema names, each with the sentence that a message shows. */
export const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ['name', pattern(/^[a-z][a-z0-9-]{0,23}$/, 'A name is a lower-case letter, then up to 23 of a-z, 0-9 and "-".')],
  ['entry', pattern(/^[A-Za-z][A-Za-z0-9._-]{0,63}$/, 'A name is a letter, then up to 63 letters, digits, ".", "_" and "-".')],
  [
    'consumer',
    pattern(
      /^(?!anonymous$)[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/,
      'A name is a letter or digit, then up to 63 letters, digits, ".", "_", "@" and "-"; "anonymous" is who calls a hub without consumers.',
    ),
  ],
  ['tool', pattern(/^[A-Za-z][A-Za-z0-9_-]{0,47}$/, 'The name of a tool is a letter, then up to 47 letters, digits, "_" and "-".')],
  ['source-tool', pattern(/^[a-z][a-z0-9-]{0,23}\.\S+$/, 'Write SOURCE.TOOL, such as github.list_issues.')],
  ['sha256', pattern(/^[0-9a-f]{64}$/, 'Write the SHA-256 of the whole key as 64 lower-case hex digits: printf %s "$KEY" | sha256sum.')],
  ['search-mode', pattern(/^(on|off|auto)$/, 'Write on, off or auto.')],
  ['peer-auth', pattern(/^oauth$/, 'The only word that may stand here is oauth; else write an object such as { bearer: "${env:NAME}" }.')],
  ['cel', { test: () => true, hint: '' }],
  ['duration', { test: (text) => parseDuration(text) !== undefined, hint: 'Write a number with a unit: 250ms, 30s, 5m, 1h; at most 24d.' }],
  ['size', { test: (text) => parseSize(text) !== undefined, hint: 'Write a number with a unit: 512KB, 64MB, 1GB.' }],
  ['rate', { test: (text) => parseRate(text) !== undefined, hint: 'Write an amount and a time: 600/min, 200k/min, 50/month.' }],
  ['url', { test: isUrl, hint: 'Write an http: or https: URL without user and password.' }],
  [
    'base-url',
    {
      test: (text) => isUrl(text) || /^demo:[a-z][a-z0-9-]*$/.test(text) || text === 'hub:admin',
      hint: 'Write an http: or https: URL without user and password, or a service inside the hub such as demo:petstore.',
    },
  ],
  [
    'origin',
    {
      test: (text) => isUrl(text) && new URL(text).origin === text,
      hint: 'Write scheme, host and port only, such as https://app.example.com.',
    },
  ],
  [
    'host',
    pattern(/^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/, 'Write a host, with a port when needed, such as hub.example.com:8700.'),
  ],
  ['egress', { test: isEgress, hint: 'Write a CIDR such as 10.0.0.0/8, or HOST:PORT.' }],
  [
    'instant',
    {
      test: (text) => /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text) && !Number.isNaN(Date.parse(text)),
      hint: 'Write a date or a time with its zone: 2027-01-31, 2027-01-31T12:00:00Z.',
    },
  ],
]);
