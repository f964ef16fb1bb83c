import type { AgentConfig } from '../../../../config/types.ts';
import type { Call } from '../../../../core/call.ts';
import { GatewayError } from '../../../../core/errors.ts';
import type { JsonObject } from '../../../../core/json.ts';
import type { RequestSigner } from '../../../../core/upstream.ts';
import { placedSigner } from '../../../../upstreams/auth/placed-signer.ts';
import { signerOfAuth, type ChosenCredentials, type OAuth2SignerFactory } from '../../../../upstreams/auth/signer-of-auth.ts';
import { signersOfSchemes } from '../../../../upstreams/auth/signers-of-schemes.ts';
import { declaredOAuth2, schemesOf } from './card-schemes.ts';

/** The credentials for one agent. */
export interface Credentials {
  /**
   * Those for a call. Throws GatewayError: `not_implemented` for what is not built, `upstream_unauthorized` when the card wants what is not configured.
   */
  forCall(call: Pick<Call<'agents'>, 'consumer' | 'request'>, card: JsonObject): readonly RequestSigner[];
  /** Those for what the hub asks of its own accord: what needs neither a caller nor a card. */
  readonly own: readonly RequestSigner[];
}

const NONE: readonly RequestSigner[] = [];

/** Whose credentials they are. */
export interface CredentialsFacts {
  /** The agent's in the configuration, for errors: `agents.travel`. */
  readonly place: string;
  /** The origin of its card: credentials go there, and to token endpoints that the configuration names. */
  readonly home: string;
}

export function createCredentials({ place, home }: CredentialsFacts, auth: AgentConfig['auth'], oauth2: OAuth2SignerFactory): Credentials {
  if (auth === undefined) return { own: NONE, forCall: () => NONE };
  if (auth === 'oauth') {
    const forCall = (): never => {
      throw new GatewayError(
        'not_implemented',
        `${place}.auth: the login by "oauth" is not built yet. Use bearer, basic, header, query or oauth2.`,
      );
    };
    return { own: NONE, forCall };
  }
  if ('forward' in auth) return { own: NONE, forCall: (call) => forwarded(place, call) };
  let known: { readonly card: JsonObject; readonly chosen: ChosenCredentials } | undefined;
  const chosenBy = (card: JsonObject): ChosenCredentials => {
    if (known?.card === card) return known.chosen;
    const chosen =
      'schemes' in auth
        ? signersOfSchemes(schemesOf(card, home, Object.keys(auth.schemes)), auth.schemes, oauth2)
        : signerOfAuth(auth, declaredOAuth2(card, home), oauth2);
    known = { card, chosen };
    return chosen;
  };
  return {
    own: 'schemes' in auth ? NONE : signerOfAuth(auth, { scopes: [] }, oauth2).signers,
    forCall(_call, card) {
      const { signers, missing } = chosenBy(card);
      if (missing.length === 0) return signers;
      throw new GatewayError('upstream_unauthorized', `${place}.auth lacks what the card of the agent asks for: ${missing.join(', or ')}.`);
    },
  };
}

/** Who has shown a key of this hub has no other token: it must not leave the hub. */
function forwarded(place: string, { consumer, request }: Pick<Call<'agents'>, 'consumer' | 'request'>): readonly RequestSigner[] {
  if (!consumer.anonymous) {
    throw new GatewayError(
      'not_implemented',
      `${place}.auth: "forward: user" is not built yet for callers with a key of this hub, which is never passed on.`,
    );
  }
  const { authorization } = request.headers;
  return typeof authorization === 'string' ? [placedSigner({ headers: [['authorization', () => authorization]] })] : NONE;
}
