import { agentError } from './agent-errors.ts';
import { VERSIONS, type VersionName } from './wire.ts';

export const VERSION_HEADER = 'a2a-version';

/**
 * The version whose name a JSON-RPC method has: `SendMessage` is of 1.0, `message/send` of 0.3; undefined for what looks like neither.
 *
 * Which version a request is in is said by `requestedVersion` alone, as with the official SDK's server: it picks its handler by `A2A-Version`, absent
 * means 0.3 (specification 3.6.2), and a method of the other version is `-32601`. This function is there to say so in that error.
 */
export function rpcVersion(method: string): VersionName | undefined {
  if (/^[A-Z][A-Za-z]*$/.test(method)) return '1.0';
  return method.includes('/') ? '0.3' : undefined;
}

/**
 * The version that a caller asks for by the header `A2A-Version`, or by the query parameter of that name where headers cannot be set. Empty and
 * absent mean 0.3; patch numbers say nothing (specification 3.6). Throws AgentError VersionNotSupported.
 *
 * @param headers by lower-case name
 */
export function requestedVersion(headers: Readonly<Record<string, string | string[] | undefined>>, query: URLSearchParams): VersionName {
  const asked = [headers[VERSION_HEADER]].flat().join(', ') || (query.get('A2A-Version') ?? query.get(VERSION_HEADER) ?? '');
  const version = asked.trim();
  if (version === '') return '0.3';
  const found = VERSIONS.find(
    (name) => version === name || (version.startsWith(`${name}.`) && /^\d+$/.test(version.slice(name.length + 1))),
  );
  if (found !== undefined) return found;
  const supported = VERSIONS.join(', ');
  throw agentError('VersionNotSupported', `A2A-Version: ${version.slice(0, 20)} is not supported. Send one of ${supported}.`, {
    supportedVersions: supported,
  });
}
