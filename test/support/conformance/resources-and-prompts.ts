import type { JsonObject } from '../../../src/core/json.ts';
import { type Context, acceptedText, elicit, IMAGE, needInput, type Run, userText } from './context.ts';

const contents = new Map<string, JsonObject>([
  ['static-text', { mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
  ['static-binary', { mimeType: 'image/png', blob: IMAGE.data }],
  ['watched-resource', { mimeType: 'text/plain', text: 'Watched.' }],
]);

export const resources: readonly JsonObject[] = [...contents].map(([name, { mimeType }]) => ({
  uri: `test://${name}`,
  name,
  description: `Resource ${name}`,
  mimeType,
}));

export const resourceTemplates: readonly JsonObject[] = [
  { uriTemplate: 'test://template/{id}/data', name: 'template', description: 'By id', mimeType: 'application/json' },
];

/** The contents behind a URI; undefined when there are none. */
export function readResource(uri: string): JsonObject | undefined {
  const found = contents.get(uri.replace('test://', ''));
  if (found) return { uri, ...found };
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id === undefined) return undefined;
  return { uri, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) };
}

export interface ConformancePrompt {
  readonly definition: JsonObject & { readonly name: string };
  readonly run: Run;
}

export const prompts: readonly ConformancePrompt[] = [
  prompt('test_simple_prompt', 'No arguments', {}, () => ({ messages: [userText('This is a simple prompt for testing.')] })),
  prompt(
    'test_prompt_with_arguments',
    'Two arguments',
    { arg1: 'First test argument', arg2: 'Second test argument' },
    ({ arguments: given }) => ({
      messages: [userText(`Prompt with arguments: arg1='${given.arg1}', arg2='${given.arg2}'`)],
    }),
  ),
  prompt(
    'test_prompt_with_embedded_resource',
    'Embeds the resource it is given',
    { resourceUri: 'URI of the resource to embed' },
    embedResource,
  ),
  prompt('test_prompt_with_image', 'Contains an image', {}, () => ({
    messages: [{ role: 'user', content: IMAGE }, userText('Please analyze the image above.')],
  })),
  prompt('test_input_required_result_prompt', 'Needs context from the user', {}, (context) => {
    const given = acceptedText(context, 'user_context', 'context');
    if (given !== undefined) return { messages: [userText(`Context: ${given}`)] };
    return needInput({ user_context: elicit('What context should the prompt use?', { context: { type: 'string' } }) });
  }),
];

export const dynamicPrompt = prompt('test_dynamic_prompt', 'Comes and goes', {}, () => ({ messages: [userText('Still here.')] }));

/** `completion/complete` for the one argument that has suggestions. */
export function complete(params: JsonObject): JsonObject {
  const { name, value } = params.argument as { name: string; value: string };
  const values = name === 'arg1' ? ['paris', 'park', 'party'].filter((word) => word.startsWith(value)) : [];
  return { completion: { values, total: values.length, hasMore: false } };
}

function prompt(name: string, description: string, parameters: Record<string, string>, run: Run): ConformancePrompt {
  const list = Object.entries(parameters).map(([parameter, about]) => ({ name: parameter, description: about, required: true }));
  return { definition: { name, description, ...(list.length > 0 && { arguments: list }) }, run };
}

function embedResource({ arguments: given }: Context): { messages: JsonObject[] } {
  const resource = { uri: given.resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' };
  return { messages: [{ role: 'user', content: { type: 'resource', resource } }, userText('Please process the embedded resource above.')] };
}
