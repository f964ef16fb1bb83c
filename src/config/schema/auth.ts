import { Type } from 'typebox';
import type { SchemeCredential, UpstreamAuth } from '../../core/auth.ts';
import { list, map, oneOf, secret, shape, text } from './parts.ts';

const clientId = text('The id of the client.');
const clientSecret = secret('The secret of the client.');
const tokenUrl = text("Where tokens are asked for; the document's own when absent.", { format: 'url' });
const scopes = list(text('One scope.'), 'Scopes to ask for.');
const username = text('The name of the user.');
const password = secret('The password.');

const credential = Type.Unsafe<SchemeCredential>({
  type: ['string', 'object'],
  minLength: 1,
  secret: true,
  minProperties: 2,
  additionalProperties: false,
  dependentRequired: {
    username: ['password'],
    password: ['username'],
    clientId: ['clientSecret'],
    clientSecret: ['clientId'],
    tokenUrl: ['clientId'],
    scopes: ['clientId'],
  },
  description: 'A reference to the value, or { username, password }, or { clientId, clientSecret, tokenUrl?, scopes? }.',
  hint: 'Write a reference such as "${env:NAME}", or { username, password }, or { clientId, clientSecret }.',
  properties: { username, password, clientId, clientSecret, tokenUrl, scopes },
});

export const oauth2 = shape(
  { clientId, clientSecret, tokenUrl: Type.Optional(tokenUrl), scopes: Type.Optional(scopes) },
  { description: 'OAuth 2.0 client credentials.' },
);

const ways = {
  bearer: secret('Sent as "Authorization: Bearer …".'),
  basic: shape({ username, password }, { description: 'Sent as "Authorization: Basic …".' }),
  header: map(secret('The value of the header.'), { description: 'Headers by name, such as { X-Key: "${env:KEY}" }.', minProperties: 1 }),
  query: map(secret('The value of the parameter.'), { description: 'Query parameters by name.', minProperties: 1 }),
  oauth2,
  schemes: map(credential, { description: "Credentials by the names of the document's security schemes.", minProperties: 1 }),
};

const HINT = 'Set exactly one of: bearer, basic, header, query, oauth2, schemes.';

export const auth = Type.Unsafe<UpstreamAuth>({
  type: 'object',
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: false,
  description: 'How the hub proves itself to the upstream.',
  hint: HINT,
  properties: ways,
});

/** What servers and agents take besides: the caller's own token passed on, or a discovered OAuth login. */
export type PeerAuth = UpstreamAuth | { readonly forward: 'user' } | 'oauth';

export const peerAuth = Type.Unsafe<PeerAuth>({
  type: ['object', 'string'],
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: false,
  format: 'peer-auth',
  description: 'How the hub proves itself to the upstream; "oauth" starts a login at the upstream’s 401.',
  hint: `${HINT} Or forward: user, or the word oauth.`,
  properties: { ...ways, forward: oneOf(['user'], "Passes the caller's own token on.") },
});
