// Mock LLM providers. As a program:  node server.mjs [--base-port 4200] [--only openai,gemini]
// In tests:                          const mocks = await startMocks(); ... await mocks.close();
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { anthropic } from './lib/anthropic.mjs';
import { azure } from './lib/azure.mjs';
import { bedrock, CREDENTIALS } from './lib/bedrock.mjs';
import { gemini } from './lib/gemini.mjs';
import { ollama } from './lib/ollama.mjs';
import { openai } from './lib/openai.mjs';
import { serve } from './lib/serve.mjs';
import { vllm } from './lib/vllm.mjs';

const PROVIDERS = { openai, anthropic, gemini, azure, ollama, bedrock, vllm };
export const AWS_CREDENTIALS = CREDENTIALS;

/**
 * Starts the mocks on basePort, basePort + 1, ... in the order above; without basePort, on free ports.
 * Resolves to { openai, anthropic, gemini, azure, ollama, bedrock, vllm, reset(), close() }.
 */
export async function startMocks({ basePort, only = Object.keys(PROVIDERS), host = '127.0.0.1' } = {}) {
  const mocks = {};
  for (const [i, name] of Object.keys(PROVIDERS).entries())
    if (only.includes(name)) mocks[name] = await serve(PROVIDERS[name], { port: basePort ? basePort + i : 0, host });
  const all = Object.values(mocks);
  return { ...mocks, reset: () => all.forEach((m) => m.reset()), close: () => Promise.all(all.map((m) => m.close())).then(() => {}) };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({ options: { 'base-port': { type: 'string', default: '4200' }, only: { type: 'string' } } });
  const mocks = await startMocks({ basePort: Number(values['base-port']), only: values.only?.split(',') });
  for (const mock of Object.values(mocks)) if (mock.url) console.log(`${mock.name.padEnd(10)} ${mock.url}`);
}
