// Azure OpenAI: deployments in the path with ?api-version=, and the newer /openai/v1 API.
import { chat, embeddings, MODELS } from './openai.mjs';
import { OPENAI_SAYS, openaiError } from './openai-parts.mjs';
import { responses } from './openai-responses.mjs';
import { Refusal } from './serve.mjs';

const SAFE = Object.fromEntries(['hate', 'self_harm', 'sexual', 'violence'].map((k) => [k, { filtered: false, severity: 'safe' }]));
const promptFilter = [{ prompt_index: 0, content_filter_results: SAFE }];
// In a stream the first chunk has no choices at all, only the prompt's filter results.
const extras = {
  top: { prompt_filter_results: promptFilter },
  choice: { content_filter_results: SAFE },
  first: { prompt_filter_results: promptFilter },
};

const versioned = (handler) => (request) => {
  if (!request.query.get('api-version')) throw new Refusal(404, 'Resource not found', '404');
  return handler(request);
};
const azureChat = (request) => chat(request, extras);

export const azure = {
  name: 'azure',
  authorize({ headers }) {
    const key = headers['api-key'] ?? /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    if (!key || key.includes('bad')) throw new Refusal(401, 'Access denied due to invalid subscription key or wrong API endpoint.', '401');
  },
  fail(status, fault, message, code) {
    if (status === 404 && code === 'model_not_found')
      return {
        status,
        headers: {},
        json: { error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' } },
      };
    if (status === 401 || code === '404')
      return { status, headers: {}, json: { error: { code: code ?? '401', message: message ?? 'Access denied' } } };
    if (status === 429) {
      const reply = openaiError(
        status,
        fault,
        message ?? `Requests have exceeded the call rate limit. Please retry after ${fault?.retry ?? 1} seconds.`,
        '429',
      );
      return { ...reply, json: { error: { code: '429', message: reply.json.error.message } } };
    }
    return openaiError(status, fault, message, code);
  },
  // Bills are Microsoft's affair: there is no error for an account without credit.
  says: {
    'too-long': OPENAI_SAYS['too-long'],
    refused: [400, "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.", 'content_filter'],
  },
  routes: [
    ['POST', /^\/openai\/deployments\/(?<model>[^/]+)\/chat\/completions$/, versioned(azureChat)],
    ['POST', /^\/openai\/deployments\/(?<model>[^/]+)\/embeddings$/, versioned(embeddings)],
    ['POST', /^\/openai\/v1\/chat\/completions$/, azureChat],
    ['POST', /^\/openai\/v1\/embeddings$/, embeddings],
    ['POST', /^\/openai\/(v1\/)?responses$/, responses],
    ['GET', /^\/openai\/(v1\/)?models$/, () => ({ json: { object: 'list', data: MODELS.map((id) => ({ id, object: 'model' })) } })],
  ],
};
