import { GatewayError } from '../../../core/errors.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';
import { ANY_CARD, type RecordShape, type Shape } from './card-shape.ts';
import { cardFromV03, interfacesOfV03, isLegacy } from './card-versions.ts';

/** One way to call an agent, as its card names it. */
export interface CardInterface {
  /** Absolute. Operations of HTTP+JSON stand below it. */
  readonly url: string;
  readonly binding: 'JSONRPC' | 'HTTP+JSON' | (string & {});
  /** MAJOR.MINOR. What was before 0.3 and calls the same methods is `0.3` here. */
  readonly version: '1.0' | '0.3' | (string & {});
  readonly tenant?: string;
}

export interface ReadCard {
  /** In the shape of A2A 1.0; unknown fields are there. Lists and `capabilities` are there even where the agent left them out. */
  readonly card: JsonObject;
  /** In the order of the agent's preference, each once. */
  readonly interfaces: readonly CardInterface[];
}

/** What a card nests at most; more would only be an attack on the stack. */
const DEEPEST = 64;

/**
 * Understands an agent card of A2A 1.0, of 0.3, or of both in one, also with the names of a2a.proto in place of those of JSON. `base` is where it was
 * found: addresses relative to it are taken. Throws GatewayError `upstream_failed` that names the field which is wrong.
 */
export function readCard(raw: unknown, base?: string): ReadCard {
  if (!isObject(raw)) throw fault('The agent card is no JSON object.');
  const checked = taken(raw, ANY_CARD, '', 0) as JsonObject;
  if (checked['name'] === undefined || checked['name'] === '') throw fault('The agent card has no name.');
  const card = cardFromV03(checked);
  const entries = [
    ...listOf(checked['supportedInterfaces']).map((entry, index) => ({ field: `supportedInterfaces[${index}].url`, entry })),
    ...interfacesOfV03(checked),
  ];
  if (entries.length === 0) {
    throw fault('The agent card names no address: it has neither supportedInterfaces (A2A 1.0) nor url (A2A 0.3).');
  }
  const stated = statedVersion(checked);
  const interfaces = entries.map(({ field, entry }) => interfaceOf(entry, field, stated, base));
  return {
    card: {
      defaultInputModes: [],
      defaultOutputModes: [],
      ...card,
      supportedInterfaces: listOf(card['supportedInterfaces']).map((entry, index) => ({ ...entry, url: interfaces[index]?.url })),
      skills: listOf(card['skills']).map(withId),
    },
    interfaces: [...new Map(interfaces.map((one) => [JSON.stringify(one), one])).values()],
  };
}

/** The value with the names of JSON, without nulls. Throws where it has not the shape. */
function taken(value: unknown, shape: Shape, path: string, depth: number): unknown {
  if (depth > DEEPEST) throw fault(`The field ${path.slice(0, 80)} of the agent card is nested too deep.`);
  if (shape === 'text' || shape === 'flag') {
    const type = shape === 'text' ? 'string' : 'boolean';
    if (typeof value !== type) throw fault(`The field ${path} of the agent card must be ${shape === 'text' ? 'text' : 'true or false'}.`);
    return value;
  }
  if (shape === 'open') {
    if (Array.isArray(value)) return value.map((item, index) => taken(item, 'open', `${path}[${index}]`, depth + 1));
    return isObject(value) ? entriesOf(value, () => 'open', path, depth) : value;
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) throw fault(`The field ${path} of the agent card must be a list.`);
    return value.map((item, index) => taken(item, shape.list, `${path}[${index}]`, depth + 1));
  }
  if (!isObject(value)) throw fault(`The field ${path} of the agent card must be an object.`);
  if ('map' in shape) return entriesOf(value, () => shape.map, path, depth);
  return entriesOf(renamed(value, shape), (key) => (Object.hasOwn(shape.fields, key) ? shape.fields[key]!.shape : 'open'), path, depth);
}

function entriesOf(object: JsonObject, shapeOf: (key: string) => Shape, path: string, depth: number): JsonObject {
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, value]) => {
      const shape = shapeOf(key);
      if (value === null && shape !== 'open') return [];
      return [[key, taken(value, shape, path === '' ? key : `${path}.${key}`, depth + 1)]];
    }),
  );
}

/** JSON of protobuf may have `supported_interfaces` in place of `supportedInterfaces`, and readers take both. */
function renamed(object: JsonObject, { fields }: RecordShape): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => {
      const name = key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
      return [name !== key && Object.hasOwn(fields, name) && !Object.hasOwn(object, name) ? name : key, value];
    }),
  );
}

function interfaceOf(entry: JsonObject, field: string, stated: string, base: string | undefined): CardInterface {
  const { url: written = '', protocolBinding = 'JSONRPC', protocolVersion, tenant } = entry as Record<string, string | undefined>;
  const binding = /^(jsonrpc|grpc|http\+json)$/i.test(protocolBinding) ? protocolBinding.toUpperCase() : protocolBinding;
  const url = binding === 'JSONRPC' || binding === 'HTTP+JSON' ? addressOf(written, field, base) : written;
  const version = versionOf(protocolVersion === undefined || protocolVersion === '' ? stated : protocolVersion);
  return { url, binding, version, ...(tenant !== undefined && tenant !== '' && { tenant }) };
}

function addressOf(written: string, field: string, base: string | undefined): string {
  if (written.startsWith('demo:')) return written;
  const url = written === '' ? null : URL.parse(written, base?.startsWith('http') ? base : undefined);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw fault(`The field ${field} of the agent card must be an http: or https: URL.`);
  }
  return URL.canParse(written) ? written : url.href;
}

/** For interfaces that state no version of their own: drafts of 1.0 had it on the card. */
function statedVersion(card: JsonObject): string {
  const drafted: unknown = Array.isArray(card['protocolVersions']) ? card['protocolVersions'][0] : card['protocolVersion'];
  return typeof drafted === 'string' && drafted !== '' ? drafted : '1.0';
}

function versionOf(version: string): string {
  const [, major, minor] = /^v?(\d+)(?:\.(\d+))?(?:[.-].*)?$/.exec(version.trim()) ?? [];
  if (major === undefined) return version;
  // 0.2 calls the same methods with the same shapes, and its agents are many.
  if (isLegacy(version) && Number(minor) < 3) return '0.3';
  return `${major}.${minor ?? 0}`;
}

function withId(skill: JsonObject, index: number): JsonObject {
  const id = [skill['id'], skill['name']].find((value) => typeof value === 'string' && value !== '');
  if (id === undefined) throw fault(`The field skills[${index}].id of the agent card is missing.`);
  return { ...skill, id };
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value : [];
}

function fault(message: string): GatewayError {
  return new GatewayError('upstream_failed', message);
}
