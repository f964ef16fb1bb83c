import type { JsonObject } from '../../../core/json.ts';
import { createHash } from 'node:crypto';
import type { UpstreamAuth } from '../../../core/auth.ts';
import type { Call } from '../../../core/call.ts';
import type { PreparedCall, ReadResource, SourceSnapshot, StatelessToolSource } from '../../../core/contracts/tool-source.ts';
import type { SourceTool, ToolsReply } from '../../../core/tools.ts';
import { errorResult } from '../../../core/tools.ts';
import type { UpstreamRequest, UpstreamResponse } from '../../../core/upstream.ts';
import { rememberedSigners } from '../../../upstreams/auth/remembered-signers.ts';
import type { ChosenCredentials, OAuth2SignerFactory } from '../../../upstreams/auth/signer-of-auth.ts';
import { takingFrom } from '../openapi/answers/events.ts';
import { findPaging } from '../openapi/answers/paging.ts';
import { checkArguments } from '../openapi/arguments.ts';
import { buildRequest, targetOf } from '../openapi/request.ts';
import type { RequestTarget } from '../openapi/request.ts';
import { decodeResponse } from '../openapi/response.ts';
import { chooseCredentials } from '../openapi/security.ts';
import { wholeSchema } from '../openapi/whole-schema.ts';
import type { CompiledOperation, CompiledService } from '../openapi/types.ts';

/** What a service needs besides its document. */
export interface OpenApiSourceOptions {
  readonly name: string;
  readonly compiled: CompiledService;
  /** Takes the place of every server the document names, operations' own included. */
  readonly baseUrl?: string;
  readonly auth?: UpstreamAuth;
  /** Who named an address of this service. */
  readonly trust: (origin: string) => UpstreamRequest['trust'];
  /** Masks known secrets in texts of the upstream. */
  readonly redact: (text: string) => string;
  /** Masks the credentials of this service, in texts that are not about a failure. */
  readonly redactOwn?: (text: string) => string;
  /** Makes the signer that fetches and renews client-credentials tokens. */
  readonly oauth2: OAuth2SignerFactory;
  readonly timeoutMs?: number;
  /** Version of the hub, for the user-agent header. */
  readonly version?: string;
}

/** One operation, ready to be called. */
interface Callable {
  readonly operation: CompiledOperation;
  readonly target: RequestTarget | undefined;
  readonly trust: UpstreamRequest['trust'];
  readonly credentials: ChosenCredentials;
  readonly retryable: boolean;
  readonly decode: (response: UpstreamResponse, args: JsonObject) => ToolsReply;
}

/** Streams are collected, whatever the document says they are. */
const taking = takingFrom();

/** The tools of one compiled document. It never changes: a new document is a new source. */
export function createOpenApiSource(options: OpenApiSourceOptions): StatelessToolSource {
  const { name, compiled, timeoutMs } = options;
  const snapshot = snapshotOf(options);
  const operations = new Map(compiled.operations.map((operation) => [operation.tool.definition.name, operation]));
  const callables = new Map<string, Callable>();
  const signers = rememberedSigners(options.oauth2);
  const callable = (tool: string): Callable | undefined => {
    let found = callables.get(tool);
    const operation = found === undefined ? operations.get(tool) : undefined;
    if (operation !== undefined) {
      found = prepared(operation, options, signers);
      callables.set(tool, found);
    }
    return found;
  };
  return {
    name,
    mode: 'stateless',
    snapshot,
    subscribe: () => () => undefined,
    prepare(call: Call<'tools'>, tool: string, readResource: ReadResource): PreparedCall | { readonly reply: ToolsReply } {
      const found = callable(tool);
      if (found === undefined) return { reply: errorResult(`The service ${name} has no tool ${tool}.`) };
      const { operation, target, trust, credentials, retryable, decode } = found;
      const args = call.input.arguments;
      const faults = checkArguments(operation, args);
      if (faults !== undefined) return { reply: misfit(call, faults) };
      if (target === undefined) {
        return {
          reply: errorResult(`The document of ${name} does not say where the service is. The operator sets services.${name}.baseUrl.`),
        };
      }
      const built = buildRequest(operation, args, target, { definitions: compiled.definitions, readResource });
      if ('fault' in built) return { reply: misfit(call, [built.fault]) };
      const request = { ...built.request, trust, taking, ...(timeoutMs !== undefined && { timeoutMs }) };
      return { request, signers: credentials.signers, retryable, decode: (response) => decode(response, args) };
    },
  };
}

/** Speaks of the tool by the name that the caller knows. */
function misfit(call: Call<'tools'>, faults: readonly string[]): ToolsReply {
  return errorResult(`The arguments do not fit ${call.input.name}:\n${faults.map((fault) => `- ${fault}`).join('\n')}`);
}

function snapshotOf({ compiled, baseUrl }: OpenApiSourceOptions): SourceSnapshot {
  const { description } = compiled;
  return {
    version: createHash('sha256').update(JSON.stringify([compiled.hash, baseUrl])).digest('hex').slice(0, 32), // prettier-ignore
    state: 'ready',
    title: compiled.document.title,
    ...(description !== undefined && { instructions: description }),
    tools: compiled.operations.map((operation) => toolOf(operation, compiled.definitions)),
    resources: [],
    resourceTemplates: [],
    prompts: [],
    features: {},
  };
}

/** The tool, which can tell what was left out of it, and where its answers stand. */
function toolOf({ tool, whole, output }: CompiledOperation, definitions: CompiledService['definitions']): SourceTool {
  if (whole === undefined && output !== 'wrapped') return tool;
  const { definition } = tool;
  return {
    ...tool,
    ...(output === 'wrapped' && { wrapped: true }),
    ...(whole !== undefined && {
      cuts: whole.cuts,
      whole: () => {
        const text = whole.description ?? definition.description;
        return {
          ...(text !== undefined && { description: text }),
          inputSchema: whole.schema === undefined ? definition.inputSchema : wholeSchema(whole.schema, definitions),
        };
      },
    }),
  };
}

function prepared(operation: CompiledOperation, options: OpenApiSourceOptions, oauth2: OAuth2SignerFactory): Callable {
  const { name, compiled, redact, redactOwn, version } = options;
  const { tokenUrl } = compiled;
  const credentials = chooseCredentials(operation, options.auth, { oauth2, ...(tokenUrl !== undefined && { tokenUrl }) });
  const where = targetOf(options.baseUrl ?? operation.server);
  const { parameters, body, tool } = operation;
  const paging = findPaging({ parameters, ...(body !== undefined && { body }), inputSchema: tool.definition.inputSchema });
  const context = {
    redact,
    ...(redactOwn !== undefined && { redactOwn }),
    service: name,
    missing: credentials.missing,
    ...(paging !== undefined && { paging }),
  };
  return {
    operation,
    target: where === undefined ? undefined : { ...where, userAgent: version === undefined ? 'hubgate' : `hubgate/${version}` },
    trust: options.trust(where?.origin ?? ''),
    credentials,
    retryable: operation.method === 'GET' || operation.method === 'HEAD' || operation.tool.definition.annotations?.idempotentHint === true,
    decode: (response, args) => decodeResponse(operation, response, context, args),
  };
}
