import { Type } from 'typebox';
import type { Risk } from '../../core/tools.ts';
import { condition, duration, glob, list, oneOf, rate, RISK_WORDS, shape, text } from './parts.ts';

/** What one entry of `allow` or `deny` matches: a glob over exposed names, or an object whose keys must all match. */
export interface AccessMatch {
  readonly tool?: string;
  readonly risk?: Risk;
  readonly tag?: string;
  readonly annotation?: Readonly<Record<string, boolean | string>>;
  readonly resource?: string;
  readonly prompt?: string;
  readonly method?: string;
  readonly path?: string;
  readonly skill?: string;
  readonly operation?: string;
  readonly when?: string;
}
export type AccessPattern = string | AccessMatch;

const Pattern = Type.Unsafe<AccessPattern>({
  type: ['string', 'object'],
  minLength: 1,
  minProperties: 1,
  additionalProperties: false,
  description: 'A glob over the names of tools, of an agent over the ids of its skills, or an object whose keys must all match.',
  hint: 'Write a glob such as "find*", or an object such as { risk: read }.',
  properties: {
    tool: glob('Names of tools without a prefix'),
    risk: oneOf(RISK_WORDS, 'In allow: this risk and all below; in deny: this risk and all above.'),
    tag: glob('Tags of the operation'),
    annotation: Type.Unsafe<Record<string, boolean | string>>({
      type: 'object',
      additionalProperties: { type: ['boolean', 'string'] },
      description: 'Hints of the tool and the value they must have, such as { readOnlyHint: true }.',
    }),
    resource: glob('URIs of resources'),
    prompt: glob('Names of prompts'),
    method: glob('HTTP method of the operation'),
    path: glob('Path of the operation'),
    skill: glob('Ids of skills of an agent'),
    operation: glob('Operations of an agent, such as message/* or tasks/cancel'),
    when: condition,
  },
});

export const AccessRule = shape(
  {
    groups: Type.Optional(list(text('The name of a group.'), 'Groups whose members the rule is for.')),
    consumers: Type.Optional(list(glob('Names of consumers'), 'Consumers that the rule is for.')),
    allow: Type.Optional(list(Pattern, 'What these callers may see and call.')),
    deny: Type.Optional(list(Pattern, 'What these callers may not see or call, whatever another rule allows.')),
    when: Type.Optional(condition),
  },
  { description: 'Who may use what. Without groups and consumers, every caller.' },
);
export const access = list(
  AccessRule,
  'Who may use what: the union of all that allows, minus the union of all that denies. Absent: every consumer.',
);

/** One policy on a place: its name and options, and how it is used there. */
export interface PolicyUse {
  readonly name: string;
  /** As the extension's own schema describes them; `{}` when the file says nothing. */
  readonly options: unknown;
  readonly description?: string;
  readonly lanes?: readonly ('models' | 'tools' | 'agents')[];
  readonly match?: { readonly consumer?: string; readonly group?: string; readonly route?: string };
  /** A CEL expression; the policy works on the calls for which it is true. */
  readonly when?: string;
  readonly onFailure?: 'refuse' | 'skip';
  /** Milliseconds that one hook may take. */
  readonly timeout?: number;
}

export const PolicyEntry = Type.Unsafe<PolicyUse>({
  type: 'object',
  convert: 'policy',
  minProperties: 1,
  description: 'One key that names the policy and holds its options, and beside it how the policy is used here.',
  properties: {
    description: text('What the policy is for here; shown in lists.', { maxLength: 1000 }),
    lanes: list(oneOf(['models', 'tools', 'agents'], 'A lane.'), 'Lanes that the policy works on here; all it knows when absent.'),
    match: shape(
      {
        consumer: Type.Optional(glob('Names of consumers')),
        group: Type.Optional(glob('Names of groups')),
        route: Type.Optional(glob('Names of routes, virtual servers, sources or agents')),
      },
      { description: 'Calls that the policy works on; all when absent.' },
    ),
    when: condition,
    onFailure: oneOf(['refuse', 'skip'], 'What becomes of a call when the policy itself fails.'),
    timeout: duration('How long one step of the policy may take.'),
  },
  additionalProperties: { description: 'Options of the policy, as the policy describes them.' },
});
export const policies = list(PolicyEntry, 'Policies that calls pass through, in this order inside each stage.');

/** When search tools stand in for a long list. */
export interface SearchConfig {
  readonly mode: 'on' | 'off' | 'auto';
  readonly top?: number;
  readonly pinned?: readonly string[];
  readonly model?: string;
}

export const search = Type.Unsafe<SearchConfig>({
  type: ['object', 'boolean', 'string'],
  convert: 'search',
  format: 'search-mode',
  additionalProperties: false,
  description: 'Lists search_tools, describe_tool and call_tool in place of a long list of tools. true and false stand for on and off.',
  hint: 'Write on, off or auto, or an object such as { mode: auto, top: 8 }.',
  properties: {
    mode: Type.Unsafe({
      type: ['string', 'boolean'],
      format: 'search-mode',
      default: 'auto',
      description: 'on, off, or auto: on when a caller sees more than 40 tools.',
    }),
    top: Type.Integer({ minimum: 1, maximum: 100, description: 'How many tools a search finds when the caller does not say.' }),
    pinned: list(text('The exposed name of a tool.'), 'Tools that stay in the list.'),
    model: text('The model that finds tools by meaning here, as embedding.model names it; that one when absent.'),
  },
});

/** The credential of a caller, as the file has it. */
export const Consumer = shape(
  {
    name: text('The name of the consumer.', { format: 'consumer' }),
    description: Type.Optional(text('Who this is; shown in lists.', { maxLength: 1000 })),
    groups: Type.Optional(list(text('The name of a group.'), 'Groups that the consumer is in.')),
    keys: Type.Optional(
      list(
        shape(
          {
            sha256: text('The SHA-256 of the whole key in lower-case hex.', { format: 'sha256' }),
            expires: Type.Optional(
              text('The time from which the key is no longer taken, such as 2027-01-31T00:00:00Z.', { format: 'instant' }),
            ),
            label: Type.Optional(text('What the key is for.', { maxLength: 200 })),
          },
          { description: 'One key, by its hash.' },
        ),
        'Keys that prove who calls.',
      ),
    ),
    limits: Type.Optional(
      shape(
        {
          requests: Type.Optional(rate('Calls, such as 600/min.')),
          tokens: Type.Optional(rate('Tokens of models, such as 200k/min.')),
          concurrent: Type.Optional(Type.Integer({ minimum: 1, description: 'Calls that may be under way at a time.' })),
          streams: Type.Optional(Type.Integer({ minimum: 1, description: 'Streams that may be open at a time.' })),
        },
        { description: 'How much the consumer may use in a time.' },
      ),
    ),
    budget: Type.Optional(
      shape(
        {
          usd: Type.Optional(rate('Money, such as 50/month.')),
          tokens: Type.Optional(rate('Tokens of models, such as 1M/day.')),
          unpriced: Type.Optional(oneOf(['allow', 'refuse'], 'What becomes of calls to a model without a known price.')),
        },
        { description: 'How much the consumer may spend in a time.' },
      ),
    ),
  },
  { description: 'One caller: a person, a team or an application.' },
);

export const Credential = shape(
  {
    jwt: shape(
      {
        issuer: text('The exact text of the iss claim.'),
        audience: Type.Optional(text('The exact text that the aud claim must hold.')),
        jwks: Type.Optional(text('Where the public keys of the issuer are.', { format: 'url' })),
        consumer: Type.Optional(text('The claim that names the consumer.', { default: 'sub' })),
      },
      { description: 'Signed tokens of an identity provider.' },
    ),
  },
  { description: 'A way besides keys in which callers prove who they are.' },
);
