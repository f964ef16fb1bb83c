import { expect, it } from 'vitest';
import { clientProfile } from '../../../../../src/lanes/tools/profiles/client-profile.ts';

it.each([
  ['gemini-cli-mcp-client', 'gemini'],
  ['gemini-cli-mcp-client-petstore', 'gemini'],
  ['openai-mcp', 'openai'],
  ['codex-mcp-client', 'openai'],
  ['mcs', 'copilot-studio'],
  ['claude-ai', 'default'],
  ['Visual Studio Code', 'default'],
  ['cursor-vscode', 'default'],
  ['mcsomething', 'default'],
  [undefined, 'default'],
  [{ name: 'mcs' }, 'default'],
])('%j is given the profile %s', (name, profile) => {
  expect(clientProfile(name)).toBe(profile);
});
