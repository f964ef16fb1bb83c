import { Type } from 'typebox';
import type { Static } from 'typebox';
import { PROFILES, type Risk } from '../../core/tools.ts';
import { auth, peerAuth } from './auth.ts';
import { access, policies, search } from './access.ts';
import {
  annotations,
  description,
  duration,
  enabled,
  flag,
  glob,
  icons,
  list,
  map,
  oneOf,
  RISK_WORDS,
  secrets,
  shape,
  text,
} from './parts.ts';
import { breaker } from './targets.ts';

const risk = oneOf(RISK_WORDS, 'How much harm the tool can do, in place of what its source says.');
const sessions = oneOf(['required', 'optional'], 'Whether clients of 2025-11-25 must send a session id after initialize.');
const icon = text('Where one image is: an https: or data: URL; short for icons with one entry.');

const price = Type.Number({ minimum: 0, description: 'US dollars for one call, for budgets and records.' });

/** What holds for the calls of any source. */
const calls = {
  price: Type.Optional(price),
  retries: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 10,
      default: 2,
      description: 'Further tries of calls that can do no harm: GET, HEAD, idempotent tools.',
    }),
  ),
  breaker: Type.Optional(breaker),
};

const ToolSettings = shape(
  {
    title: Type.Optional(text('The name that people see.')),
    description: Type.Optional(text('What the model reads about the tool.')),
    risk: Type.Optional(risk),
    enabled: Type.Optional(flag('Whether the tool exists at all.', { default: true })),
    icons: Type.Optional(icons),
    annotations: Type.Optional(annotations),
    price: Type.Optional(price),
  },
  { description: 'What to change on the tools that the key matches.' },
);

export const Service = shape(
  {
    spec: Type.Optional(text('The OpenAPI document: a path relative to this file, or a URL.')),
    url: Type.Optional(text('Where the OpenAPI document is fetched.', { format: 'url' })),
    document: Type.Optional(Type.Unknown({ description: 'The OpenAPI document itself; only through the admin API.' })),
    overlays: Type.Optional(
      list(
        text('A path relative to this file.'),
        'OpenAPI overlay files to apply to the document, in order, after NAME.overlay.yaml beside it.',
      ),
    ),
    baseUrl: Type.Optional(text("Where the service answers, in place of the document's servers.", { format: 'base-url' })),
    auth: Type.Optional(auth),
    enabled: Type.Optional(enabled),
    description: Type.Optional(description),
    icon: Type.Optional(icon),
    icons: Type.Optional(icons),
    access: Type.Optional(access),
    policies: Type.Optional(policies),
    outputSchemas: Type.Optional(flag('Gives tools an output schema and answers with structuredContent.', { default: false })),
    exposeOperation: Type.Optional(flag('Shows method, path and bindings in _meta["hubgate/operation"].', { default: true })),
    timeout: Type.Optional(duration('How long one request may take.')),
    ...calls,
    tools: Type.Optional(
      map(ToolSettings, { description: 'Settings of tools by name or glob; the first key that matches gives each setting.' }),
    ),
  },
  { description: 'An HTTP API described by an OpenAPI document.' },
);

export const Server = shape(
  {
    command: Type.Optional(text('The program to start; it speaks MCP over stdio.', { unbuilt: 'servers with command or url' })),
    args: Type.Optional(list(Type.String(), 'Arguments of the program.')),
    env: Type.Optional(secrets('Environment of the program, besides a few safe variables.')),
    url: Type.Optional(
      text('Where the MCP server answers over Streamable HTTP.', { format: 'url', unbuilt: 'servers with command or url' }),
    ),
    headers: Type.Optional(secrets('Headers to send with every request.')),
    auth: Type.Optional(peerAuth),
    source: Type.Optional(text('The name of a tool-source extension that gives the tools.')),
    options: Type.Optional(Type.Unknown({ description: 'Options of the tool-source extension.' })),
    ...calls,
    access: Type.Optional(access),
    policies: Type.Optional(policies),
    enabled: Type.Optional(enabled),
    description: Type.Optional(description),
    icon: Type.Optional(icon),
    icons: Type.Optional(icons),
    sessions: Type.Optional(sessions),
  },
  {
    description: 'Another source of tools: an upstream MCP server by command or url, or an extension by source.',
  },
);

/** What one entry of `include` or `exclude` matches: a glob over the source's names, or an object whose keys must all match. */
export interface SelectionMatch {
  readonly tag?: string;
  readonly method?: string;
  readonly path?: string;
  readonly risk?: Risk;
  readonly tool?: string;
}
export type SelectionPattern = string | SelectionMatch;

const Selector = Type.Unsafe<SelectionPattern>({
  type: ['string', 'object'],
  minLength: 1,
  minProperties: 1,
  additionalProperties: false,
  description: "A glob over the source's names of tools, or an object whose keys must all match.",
  hint: 'Write a glob such as "find*", or an object such as { tag: issues, method: GET }.',
  properties: {
    tool: glob("The source's names of tools"),
    tag: glob('Tags of the operation'),
    method: glob('HTTP method of the operation'),
    path: glob('Path of the operation'),
    risk: oneOf(RISK_WORDS, 'This risk and all below; in exclude: this risk and all above.'),
  },
});

const Selection = shape(
  {
    from: text('The name of a service, a server or an agent.'),
    include: Type.Optional(list(Selector, 'What to take; all of the source when absent.')),
    exclude: Type.Optional(list(Selector, 'What to leave out again.')),
  },
  { description: 'Tools taken from one source.' },
);

const Chosen = shape(
  {
    from: text('The name of a service, a server or an agent.'),
    include: Type.Optional(list(glob('URIs or names'), 'What to take; all of the source when absent.')),
    exclude: Type.Optional(list(glob('URIs or names'), 'What to leave out again.')),
  },
  { description: 'Entries taken from one source.' },
);

const ArgumentOverride = shape(
  {
    name: Type.Optional(text('The name that the model sees.')),
    description: Type.Optional(text('What the model reads about the argument.')),
    value: Type.Optional(Type.Unknown({ description: 'A fixed value: the model does not see the argument, the upstream gets this.' })),
    default: Type.Optional(Type.Unknown({ description: 'Sent when the model leaves the argument out.' })),
    hide: Type.Optional(flag('Takes the argument away from the model; it is not sent unless it has a default.')),
  },
  { description: 'What to change on one argument.' },
);

const Override = shape(
  {
    name: Type.Optional(text('The name on this server.', { format: 'tool' })),
    title: Type.Optional(text('The name that people see.')),
    description: Type.Optional(text('What the model reads about the tool.')),
    enabled: Type.Optional(flag('Whether this server has the tool.', { default: true })),
    icons: Type.Optional(icons),
    annotations: Type.Optional(annotations),
    risk: Type.Optional(risk),
    arguments: Type.Optional(map(ArgumentOverride, { description: 'Changes by the name of the argument.' })),
    select: Type.Optional(list(text('A dotted path such as items.name.'), 'Parts of the JSON answer to keep; all of it when absent.')),
  },
  { description: 'What to change on one tool.' },
);

export const VirtualServer = shape(
  {
    title: Type.Optional(text('The name that people see.')),
    description: Type.Optional(description),
    instructions: Type.Optional(text('What a client tells its model about the whole server.')),
    icons: Type.Optional(icons),
    enabled: Type.Optional(enabled),
    tools: list(Selection, 'Which tools the server has. On a clash of names the first keeps the plain one.'),
    resources: Type.Optional(list(Chosen, 'Which resources the server has.')),
    prompts: Type.Optional(list(Chosen, 'Which prompts the server has.')),
    overrides: Type.Optional(map(Override, { description: 'Changes by SOURCE.TOOL.', propertyNames: { format: 'source-tool' } })),
    access: Type.Optional(access),
    search: Type.Optional(search),
    policies: Type.Optional(policies),
    sessions: Type.Optional(sessions),
    profile: Type.Optional(oneOf(PROFILES, 'Whose limits tools are written for; by the name of each client when absent.')),
  },
  { description: 'A named selection of tools, served at /mcp/NAME; the name is that of the file.' },
);

export type ServiceConfig = Static<typeof Service>;
export type ServerConfig = Static<typeof Server>;
export type VirtualServerConfig = Static<typeof VirtualServer>;
export type ToolOverride = Static<typeof Override>;
export type ArgumentOverrideConfig = Static<typeof ArgumentOverride>;
export type ToolSettingsConfig = Static<typeof ToolSettings>;
