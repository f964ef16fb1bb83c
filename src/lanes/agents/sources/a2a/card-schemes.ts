import { isObject, type JsonObject } from '../../../../core/json.ts';
import type { SchemeUse, SecurityScheme } from '../../../../upstreams/auth/signers-of-schemes.ts';
import { isSameOrigin, readAddress } from './address.ts';

/**
 * What an agent's card (in the shape of 1.0) asks of credentials: any one alternative is enough. A card that describes schemes and requires none means
 * those of `configured`: many agents forget to say so. A token endpoint on another origin than `home`, that of the card, is left out: a card must not be
 * able to send the secret of a client elsewhere.
 */
export function schemesOf(card: JsonObject, home: string, configured: readonly string[]): SchemeUse[][] {
  const said = Array.isArray(card['securityRequirements']) ? card['securityRequirements'].filter(isObject) : [];
  if (said.length === 0) return [configured.map((name) => ({ name, scopes: [], scheme: schemeOf(card, home, name) }))];
  return said.map((requirement) =>
    Object.entries(objectAt(requirement, 'schemes')).map(([name, scopes]) => ({
      name,
      scopes: isObject(scopes) && Array.isArray(scopes['list']) ? scopes['list'].filter((scope) => typeof scope === 'string') : [],
      scheme: schemeOf(card, home, name),
    })),
  );
}

/** The client-credentials flow that the card describes first, of those whose token endpoint is on the card's own origin. */
export function declaredOAuth2(card: JsonObject, home: string): { readonly tokenUrl?: string; readonly scopes: readonly string[] } {
  const uses = schemesOf(card, home, Object.keys(objectAt(card, 'securitySchemes'))).flat();
  const use = uses.find(({ scheme }) => scheme.type === 'oauth2' && scheme.tokenUrl !== undefined);
  if (use?.scheme.type !== 'oauth2' || use.scheme.tokenUrl === undefined) return { scopes: [] };
  return { tokenUrl: use.scheme.tokenUrl, scopes: use.scopes };
}

function schemeOf(card: JsonObject, home: string, name: string): SecurityScheme {
  const scheme = objectAt(objectAt(card, 'securitySchemes'), name);
  const { location, name: place } = objectAt(scheme, 'apiKeySecurityScheme');
  if (typeof place === 'string' && (location === 'query' || location === 'header' || location === 'cookie')) {
    return { type: 'apiKey', in: location, name: place };
  }
  const http = objectAt(scheme, 'httpAuthSecurityScheme')['scheme'];
  if (typeof http === 'string') return { type: 'http', scheme: http.toLowerCase() };
  if (isObject(scheme['oauth2SecurityScheme'])) {
    const { tokenUrl } = objectAt(objectAt(scheme['oauth2SecurityScheme'], 'flows'), 'clientCredentials');
    return { type: 'oauth2', ...(typeof tokenUrl === 'string' && isAt(home, tokenUrl) ? { tokenUrl } : {}) };
  }
  if (isObject(scheme['openIdConnectSecurityScheme'])) return { type: 'openIdConnect' };
  return { type: isObject(scheme['mtlsSecurityScheme']) ? 'mutualTLS' : 'unknown' };
}

function isAt(home: string, url: string): boolean {
  const address = readAddress(url);
  return address !== undefined && isSameOrigin(address.origin, home);
}

function objectAt(object: JsonObject, key: string): JsonObject {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return isObject(value) ? value : {};
}
