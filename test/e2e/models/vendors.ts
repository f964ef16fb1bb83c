import type { Format } from './transcripts.ts';

/** A secret of the hub's environment. */
export const VENDOR_ENV = { VENDOR_KEY: 'sk-mock' };
const apiKey = '${env:VENDOR_KEY}';

/** For each format a vendor that speaks it: how names of its models begin, and the configuration of its account. */
export const VENDORS: Readonly<Record<Format, { readonly prefix: string; config(url: string): Readonly<Record<string, unknown>> }>> = {
  'openai-chat': { prefix: 'qwen-', config: (url) => ({ type: 'vllm', baseUrl: `${url}/v1`, apiKey }) },
  'openai-responses': { prefix: 'gpt-', config: (url) => ({ type: 'openai', baseUrl: `${url}/v1`, apiKey }) },
  'anthropic-messages': { prefix: 'claude-', config: (url) => ({ type: 'anthropic', baseUrl: url, apiKey }) },
  gemini: { prefix: 'gemini-3-', config: (url) => ({ type: 'gemini', baseUrl: url, apiKey }) },
  'bedrock-converse': {
    prefix: 'us.anthropic.claude-',
    config: (url) => ({ type: 'bedrock', baseUrl: url, region: 'us-east-1', apiKey }),
  },
};

/** A hub before all of them at one address. JSON is YAML. */
export function vendorsConfig(url: string): string {
  const all = Object.entries(VENDORS);
  return JSON.stringify({
    providers: Object.fromEntries(all.map(([format, { config }]) => [format, config(url)])),
    models: all.map(([format, { prefix }]) => ({ match: { model: `${prefix}*` }, targets: [{ provider: format }] })),
  });
}
