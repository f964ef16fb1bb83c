import { AgentError } from '../../../core/agents.ts';
import { isObject, type JsonObject } from '../../../core/json.ts';

/** `type` of a scheme in 0.3, and the field that holds such a scheme in 1.0. */
const SCHEMES = [
  ['apiKey', 'apiKeySecurityScheme'],
  ['http', 'httpAuthSecurityScheme'],
  ['oauth2', 'oauth2SecurityScheme'],
  ['openIdConnect', 'openIdConnectSecurityScheme'],
  ['mutualTLS', 'mtlsSecurityScheme'],
] as const;

/** Fields of 0.3 that are said otherwise in 1.0. */
const OWN_TO_03 = new Set([
  'url',
  'preferredTransport',
  'additionalInterfaces',
  'protocolVersion',
  'supportsAuthenticatedExtendedCard',
  'security',
]);

/** VersionNotSupportedError (specification 1.0, 5.4). */
const VERSION_NOT_SUPPORTED = -32009;

/**
 * A card of 1.0 as a client of 0.3 reads it. Unknown fields stay. Signatures go: they are over the form of 1.0 and hold for no other. Throws AgentError
 * VersionNotSupported for a card without an interface of 0.3.
 */
export function cardToV03(card: JsonObject): JsonObject {
  const { supportedInterfaces, capabilities, securitySchemes, securityRequirements, skills, signatures: _, ...rest } = card;
  const { extendedAgentCard, ...abilities } = isObject(capabilities) ? capabilities : {};
  const [primary, ...others] = objects(supportedInterfaces).filter((entry) => isLegacy(entry['protocolVersion']));
  if (primary === undefined) throw new AgentError(VERSION_NOT_SUPPORTED, 'This agent is not offered in A2A 0.3.');
  return {
    ...rest,
    url: primary['url'],
    preferredTransport: primary['protocolBinding'],
    protocolVersion: nonEmpty(primary['protocolVersion']) ?? '0.3',
    ...(others.length > 0 && {
      additionalInterfaces: others.map(({ url, protocolBinding }) => ({ url, transport: protocolBinding })),
    }),
    capabilities: abilities,
    defaultInputModes: card['defaultInputModes'] ?? [],
    defaultOutputModes: card['defaultOutputModes'] ?? [],
    skills: objects(skills).map(skillToV03),
    ...(extendedAgentCard !== undefined && { supportsAuthenticatedExtendedCard: extendedAgentCard }),
    ...(isObject(securitySchemes) && { securitySchemes: mapped(securitySchemes, schemeToV03) }),
    ...(Array.isArray(securityRequirements) && { security: requirementsToV03(securityRequirements) }),
  };
}

/** A card of 0.3, or of both versions in one, in the shape of 1.0. Unknown fields stay; schemes of unknown types stay as they are. */
export function cardFromV03(raw: JsonObject): JsonObject {
  const { supportsAuthenticatedExtendedCard, security } = raw;
  const rest = Object.fromEntries(Object.entries(raw).filter(([field]) => !OWN_TO_03.has(field)));
  const { capabilities, securitySchemes, securityRequirements, skills } = rest;
  const abilities = isObject(capabilities) ? capabilities : {};
  return {
    ...rest,
    supportedInterfaces: [...objects(rest['supportedInterfaces']), ...interfacesOfV03(raw).map(({ entry }) => entry)],
    capabilities: {
      ...abilities,
      ...(abilities['extendedAgentCard'] === undefined &&
        supportsAuthenticatedExtendedCard !== undefined && { extendedAgentCard: supportsAuthenticatedExtendedCard }),
    },
    ...(isObject(securitySchemes) && { securitySchemes: mapped(securitySchemes, schemeFromV03) }),
    ...(securityRequirements === undefined && Array.isArray(security) && { securityRequirements: requirementsFromV03(security) }),
    skills: objects(skills).map(skillFromV03),
  };
}

/** The interfaces that a card names in the fields of 0.3 and not in those of 1.0 too, each with the field that names its URL. */
export function interfacesOfV03(raw: JsonObject): { readonly field: string; readonly entry: JsonObject }[] {
  const version = nonEmpty(raw['protocolVersion']) ?? '0.3';
  const first = { url: raw['url'], protocolBinding: raw['preferredTransport'] ?? 'JSONRPC', protocolVersion: version };
  const others = objects(raw['additionalInterfaces']).map(({ url, transport }) => ({
    url,
    protocolBinding: transport,
    protocolVersion: '0.3',
  }));
  const known = new Set(objects(raw['supportedInterfaces']).map(placeOf));
  return [
    ...(raw['url'] === undefined ? [] : [{ field: 'url', entry: first }]),
    ...others.map((entry, index) => ({ field: `additionalInterfaces[${index}].url`, entry })),
  ].filter(({ entry }) => !known.has(placeOf(entry)));
}

/**
 * What a request without A2A-Version gets from an agent that serves both versions: a client of 0.3 reads the card of 0.3 in it, a client of 1.0 that of
 * 1.0, whose signatures still hold. Where the two have another shape under one name, both shapes are there. A card of one version stays what it is.
 */
export function hybridCard(card: JsonObject): JsonObject {
  const { supportedInterfaces, capabilities, securitySchemes, securityRequirements, skills, signatures } = card;
  if (!objects(supportedInterfaces).some((entry) => isLegacy(entry['protocolVersion']))) return card;
  const legacy = cardToV03(card);
  return {
    ...legacy,
    ...defined({ supportedInterfaces, securityRequirements, signatures }),
    capabilities: { ...(legacy['capabilities'] as JsonObject), ...(isObject(capabilities) && capabilities) },
    ...(isObject(securitySchemes) && {
      securitySchemes: mapped(securitySchemes, (scheme) =>
        isObject(scheme) ? { ...scheme, ...(schemeToV03(scheme) as JsonObject) } : scheme,
      ),
    }),
    skills: objects(skills).map((skill) => ({ ...skillToV03(skill), ...skill })),
  };
}

/** The versions up to 1.0, and the missing one (specification 1.0, 3.6.2: empty means 0.3). */
export function isLegacy(version: unknown): boolean {
  return nonEmpty(version) === undefined || String(version).startsWith('0.');
}

function skillToV03(skill: JsonObject): JsonObject {
  const { securityRequirements, ...rest } = skill;
  const security = Array.isArray(securityRequirements) && securityRequirements.length > 0 && requirementsToV03(securityRequirements);
  return { ...rest, tags: skill['tags'] ?? [], ...(security !== false && { security }) };
}

function skillFromV03(skill: JsonObject): JsonObject {
  const { security, ...rest } = skill;
  const take = Array.isArray(security) && skill['securityRequirements'] === undefined;
  return { ...rest, ...(take && { securityRequirements: requirementsFromV03(security) }) };
}

function requirementsToV03(list: readonly unknown[]): JsonObject[] {
  return objects(list).map(({ schemes }) =>
    isObject(schemes) ? mapped(schemes, (scopes) => (isObject(scopes) && Array.isArray(scopes['list']) ? scopes['list'] : [])) : {},
  );
}

function requirementsFromV03(list: readonly unknown[]): JsonObject[] {
  return objects(list).map((schemes) => ({ schemes: mapped(schemes, (list) => ({ list })) }));
}

function schemeToV03(scheme: unknown): unknown {
  if (!isObject(scheme)) return scheme;
  for (const [type, field] of SCHEMES) {
    const { [field]: inner, ...rest } = scheme;
    if (!isObject(inner)) continue;
    if (type !== 'apiKey') return { ...rest, type, ...inner };
    const { location, ...key } = inner;
    return { ...rest, type, in: location === 'query' || location === 'cookie' ? location : 'header', ...key };
  }
  return scheme;
}

function schemeFromV03(scheme: unknown): unknown {
  if (!isObject(scheme)) return scheme;
  const { type, in: location, ...rest } = scheme;
  const field = SCHEMES.find(([name]) => name === type)?.[1];
  if (field === undefined) return unwrapped(scheme);
  // A card of both versions has both shapes in one.
  if (isObject(scheme[field])) return { [field]: scheme[field] };
  return { [field]: type === 'apiKey' ? { location, ...rest } : rest };
}

/** @a2a-js/sdk 1.3 hands its own memory to JSON: `{ scheme: { $case, value } }`, and so its flows. */
function unwrapped(scheme: JsonObject): JsonObject {
  const inner = caseOf(scheme['scheme']);
  if (inner === undefined) return scheme;
  const [name, value] = inner;
  const flow = caseOf(isObject(value['flows']) ? value['flows']['flow'] : undefined);
  return { [name]: flow === undefined ? value : { ...value, flows: { [flow[0]]: flow[1] } } };
}

function caseOf(value: unknown): readonly [string, JsonObject] | undefined {
  if (!isObject(value) || typeof value['$case'] !== 'string' || !isObject(value['value'])) return undefined;
  return [value['$case'], value['value']];
}

function placeOf({ url, protocolBinding, protocolVersion }: JsonObject): string {
  const version = isLegacy(protocolVersion) ? '0' : protocolVersion;
  return JSON.stringify([url, String(protocolBinding).toUpperCase(), version]);
}

function mapped(object: JsonObject, change: (value: unknown) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function defined(values: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}
