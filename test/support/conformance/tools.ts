import type { JsonObject } from '../../../src/core/json.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorResult, type ToolsReply } from '../../../src/core/tools.ts';
import { AUDIO, type ConformanceTool, type Context, IMAGE, text, tool } from './context.ts';
import { inputTools } from './input-tools.ts';

const STRING = { type: 'string' };
const ADDRESS = { $anchor: 'addressDef', type: 'object', properties: { street: STRING, city: STRING } };

/** Must reach the client unchanged. */
const FULL_SCHEMA: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: ADDRESS },
  properties: {
    name: STRING,
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: STRING,
    email: STRING,
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

const HEADER_SCHEMA: JsonObject = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, level: { type: 'integer' } },
};

/** The tools that the official suite asks for; the two triggers tell `toggle` which list is to change. */
export function conformanceTools(toggle: (list: 'tools' | 'prompts') => void): readonly ConformanceTool[] {
  const change = (list: 'tools' | 'prompts') => () => {
    toggle(list);
    return text(`List of ${list} changed.`);
  };
  return [
    ...contentTools,
    ...talkingTools,
    ...inputTools,
    tool('json_schema_2020_12_tool', 'Has a schema with many keywords', ({ arguments: given }) => text(JSON.stringify(given)), FULL_SCHEMA),
    tool(
      'test_x_mcp_header',
      'Mirrors an argument into a header',
      ({ arguments: given }) => text(`region=${given.region ?? ''}`),
      HEADER_SCHEMA,
    ),
    tool('test_trigger_tool_change', 'Adds or removes a tool', change('tools')),
    tool('test_trigger_prompt_change', 'Adds or removes a prompt', change('prompts')),
  ];
}

export const dynamicTool = tool('test_dynamic_tool', 'Comes and goes', () => text('Still here.'));

const contentTools: readonly ConformanceTool[] = [
  tool('test_simple_text', 'Returns one text block', () => text('This is a simple text response for testing.')),
  tool('test_image_content', 'Returns one PNG', () => ({ content: [IMAGE] })),
  tool('test_audio_content', 'Returns one WAV', () => ({ content: [AUDIO] })),
  tool('test_embedded_resource', 'Returns one embedded resource', () => ({
    content: [
      {
        type: 'resource',
        resource: { uri: 'test://embedded-resource', mimeType: 'text/plain', text: 'This is an embedded resource content.' },
      },
    ],
  })),
  tool('test_multiple_content_types', 'Returns text, an image and a resource', () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      IMAGE,
      {
        type: 'resource',
        resource: { uri: 'test://mixed-content-resource', mimeType: 'application/json', text: '{"test":"data","value":123}' },
      },
    ],
  })),
  tool('test_error_handling', 'Always fails', () => errorResult('This tool intentionally returns an error for testing')),
];

const talkingTools: readonly ConformanceTool[] = [
  tool('test_tool_with_logging', 'Logs three times while it runs', async ({ log }) => {
    log('Tool execution started');
    await sleep(50);
    log('Tool processing data');
    await sleep(50);
    log('Tool execution completed');
    return text('Logged three messages.');
  }),
  tool('test_logging_tool', 'Logs once', ({ log }) => {
    log('logged');
    return text('Logged one message.');
  }),
  tool('test_tool_with_progress', 'Reports 0, 50 and 100 of 100', reportProgress),
  tool('test_reconnection', 'Takes a moment', async () => {
    await sleep(100);
    return text('Delivered.');
  }),
  tool('test_streaming_elicitation', 'Sends nothing but its result', () => text('No independent requests.')),
];

async function reportProgress({ channel }: Context): Promise<ToolsReply> {
  const { progressToken } = channel.meta;
  for (const progress of [0, 50, 100]) {
    if (progress > 0) await sleep(50);
    if (progressToken !== undefined) channel.notify('notifications/progress', { progressToken, progress, total: 100 });
  }
  return text(String(progressToken ?? 'no progress token'));
}
