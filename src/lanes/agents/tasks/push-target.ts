import type { JsonObject } from '../../../core/json.ts';
import { isObject } from '../../../core/json.ts';
import type { UpstreamRequest } from '../../../core/upstream.ts';
import { agentError } from '../wires/agent-errors.ts';
import type { VersionName } from '../wires/wire.ts';

const LONGEST_TEXT = 8_192;
const ANSWER_MS = 10_000;
const MAX_ANSWER_BYTES = 1_000_000;
/** As headers may have it (RFC 9110, 5.5); other characters a connection would refuse. */
const HEADER_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;
const SCHEME = /^[\w!#$%&'*+.^`|~-]+$/;
const CONTENT_TYPES: Readonly<Record<VersionName, string>> = { '1.0': 'application/a2a+json', '0.3': 'application/json' };

/**
 * Makes sure that a TaskPushNotificationConfig (1.0) can be delivered to. Which addresses may be reached is for the connection to say.
 * @throws AgentError InvalidParams
 */
export function checkPushTarget(config: JsonObject): void {
  const url = URL.parse(textOf(config, 'url'));
  if (url === null || !/^https?:$/.test(url.protocol))
    throw agentError('InvalidParams', 'The url of a push notification config must be an http or https address.');
  if (url.username !== '' || url.password !== '') {
    throw agentError(
      'InvalidParams',
      'The url of a push notification config must not hold a user name or password. Give them in authentication.',
    );
  }
  textOf(config, 'id');
  headerText(config, 'token');
  const { authentication } = config;
  if (authentication === undefined || authentication === null) return;
  if (!isObject(authentication)) throw agentError('InvalidParams', 'authentication must be an object with scheme and credentials.');
  const scheme = textOf(authentication, 'scheme');
  if (scheme !== '' && !SCHEME.test(scheme))
    throw agentError('InvalidParams', 'authentication.scheme must be one HTTP authentication scheme such as Bearer.');
  headerText(authentication, 'credentials');
}

/** The request that tells a caller; the config was checked. Sends what both ways of proof have: the SDK's sender takes one of them. */
export function pushRequest(config: JsonObject, version: VersionName, payload: JsonObject): UpstreamRequest {
  const url = new URL(textOf(config, 'url'));
  const token = textOf(config, 'token');
  const authentication = isObject(config['authentication']) ? config['authentication'] : {};
  const [scheme, credentials] = [textOf(authentication, 'scheme'), textOf(authentication, 'credentials')];
  return {
    method: 'POST',
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    headers: {
      'content-type': CONTENT_TYPES[version],
      ...(token !== '' && { 'x-a2a-notification-token': token }),
      ...(scheme !== '' && credentials !== '' && { authorization: `${scheme} ${credentials}` }),
    },
    body: JSON.stringify(payload),
    trust: 'public',
    timeoutMs: ANSWER_MS,
    maxBytes: MAX_ANSWER_BYTES,
  };
}

/** Empty where it is absent, as the JSON of protobuf has it. */
export function textOf(object: JsonObject, name: string): string {
  const value = object[name] ?? '';
  if (typeof value !== 'string' || value.length > LONGEST_TEXT) {
    throw agentError('InvalidParams', `${name} must be a text of at most ${LONGEST_TEXT} characters.`);
  }
  return value;
}

function headerText(object: JsonObject, name: string): void {
  if (!HEADER_TEXT.test(textOf(object, name)))
    throw agentError('InvalidParams', `${name} must hold only characters that an HTTP header takes.`);
}
