import type { AgentConfig, AgentTargetConfig } from '../../../config/types.ts';
import type { AgentSource } from '../../../core/contracts/agent-source.ts';
import { createOAuth2Signer } from '../../../upstreams/auth/oauth2.ts';
import { rememberedSigners } from '../../../upstreams/auth/remembered-signers.ts';
import type { RequestSigner, UpstreamRequest } from '../../../core/upstream.ts';
import { GatewayError } from '../../../core/errors.ts';
import { signerOfAuth } from '../../../upstreams/auth/signer-of-auth.ts';
import { createA2ASource } from '../sources/a2a/a2a-source.ts';
import type { OperationCaller } from '../sources/rest/operation-caller.ts';
import { createRestSource } from '../sources/rest/rest-source.ts';
import type { HubTasks } from '../sources/rest/tasks/hub-tasks.ts';
import type { AgentsHost } from '../host.ts';

/** One instance of an agent as the configuration has it. */
export interface SourceFacts {
  readonly id: string;
  /** Of the agent. */
  readonly name: string;
  readonly config: AgentConfig;
  /** Absent for an agent with one address. */
  readonly target: AgentTargetConfig | undefined;
  readonly origin: 'file' | 'store';
}

export interface SourceHost extends Pick<AgentsHost, 'http' | 'log' | 'redact' | 'addSecret'> {
  /** Those of an agent that the hub itself carries out; they outlive sources. */
  hubTasks(agent: string): HubTasks;
  /** What the document of `rest.spec` became; undefined without one. */
  operations(agent: string): OperationCaller | undefined;
}

/** Throws GatewayError `bad_request` that names what is wrong in the configuration. */
export function createSource({ id, name, config, target, origin }: SourceFacts, host: SourceHost): AgentSource {
  // Of what came by the admin API the hub reaches public addresses only (DESIGN 2.2, egress).
  const trust = origin === 'file' ? 'operator' : 'public';
  const { rest, headers, bindings, extensions, signatures, timeouts, health } = config;
  const auth = target?.auth ?? config.auth;
  if (rest === undefined) {
    const card = target?.card ?? config.card;
    if (card === undefined) throw new GatewayError('bad_request', `agents.${name}: set one of card, targets and rest.`);
    const redact = (text: string): string => host.redact(text);
    const lent = { http: host.http, log: host.log, redact, addSecret: host.addSecret };
    return createA2ASource({ name: id, card, auth, headers, bindings, extensions, signatures, timeouts, health, trust }, lent);
  }
  return createRestSource({
    name,
    config: rest,
    description: config.description,
    healthPath: health?.path,
    http: host.http,
    tasks: host.hubTasks(name),
    operations: host.operations(name),
    redact: (text) => host.redact(text),
    log: host.log,
    trust,
    // Those of a document go with its operations.
    signers: rest.spec === undefined ? signersOf(name, auth, trust, host) : [],
    headers: headers ?? {},
    timeouts: timeouts ?? {},
  });
}

/** An application has no card that could say more of what it wants. */
function signersOf(name: string, auth: AgentConfig['auth'], trust: UpstreamRequest['trust'], host: SourceHost): readonly RequestSigner[] {
  if (auth === undefined) return [];
  if (auth === 'oauth' || 'forward' in auth || 'schemes' in auth)
    throw new GatewayError('bad_request', `agents.${name}.auth: an HTTP application takes bearer, basic, header, query or oauth2.`);
  const powers = { send: host.http.send, now: Date.now, addSecret: host.addSecret };
  const oauth2 = rememberedSigners((client) => createOAuth2Signer(client, { ...powers, trust }));
  return signerOfAuth(auth, { scopes: [] }, oauth2).signers;
}
