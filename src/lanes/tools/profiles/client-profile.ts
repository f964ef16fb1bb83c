import type { Profile } from '../../../core/tools.ts';

/**
 * What `clientInfo.name` says of a client, first match wins. Only names that a client is known to send stand here:
 * - `gemini-cli-mcp-client`, with the server's name behind it in newer ones: google-gemini/gemini-cli packages/core/src/tools/mcp-client.ts
 * - `openai-mcp`: ChatGPT and the Responses API, as servers log it; `codex-mcp-client`: openai/codex codex-rs
 * - `mcs`: Microsoft Copilot Studio, from an initialize in powerplatform.com's forum, thread ed9e9400-e594-f011-b4cc-7ced8d1ab86c
 * Claude, VS Code, Cursor and all others take the default.
 */
const CLIENTS: readonly (readonly [RegExp, Profile])[] = [
  [/^gemini-cli/i, 'gemini'],
  [/^openai-mcp|^codex-mcp-client/i, 'openai'],
  [/^mcs$|^copilot[ -]?studio/i, 'copilot-studio'],
];

/** The profile for a client that said who it is; `default` for everybody else. */
export function clientProfile(name: unknown): Profile {
  if (typeof name !== 'string') return 'default';
  return CLIENTS.find(([pattern]) => pattern.test(name))?.[1] ?? 'default';
}
