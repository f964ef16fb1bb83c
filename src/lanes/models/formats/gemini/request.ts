import type { ChatRequest, OutputFormat, Part, ToolChoice, ToolSpec } from '../../../../core/chat.ts';
import type { WriteOptions, WrittenRequest } from '../../../../core/contracts/provider.ts';
import type { JsonObject } from '../../../../core/json.ts';
import { wrong } from '../_read.ts';
import { writeContents, writeTexts } from './contents.ts';
import { given } from '../_given.ts';
import { inlineReferences } from './schema.ts';
import { writeThinking } from './thinking.ts';

const TOOL_NAME = /^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$/;

/** The body of `generateContent`; the model and whether it streams stand in the path. Throws GatewayError `bad_request`. */
export function writeRequest(ask: ChatRequest, options: WriteOptions): WrittenRequest {
  const dropped = new Set<string>();
  const system = writeTexts(ask.system);
  const contents = writeContents(ask, options, dropped);
  const generationConfig = writeConfig(ask, options, dropped);
  const body = given<JsonObject>({
    systemInstruction: system.length === 0 ? undefined : { parts: system },
    contents,
    tools: ask.tools.length === 0 ? undefined : [{ functionDeclarations: ask.tools.map(writeTool) }],
    toolConfig: ask.toolChoice === undefined ? undefined : { functionCallingConfig: writeChoice(ask.toolChoice) },
    generationConfig: Object.keys(generationConfig).length === 0 ? undefined : generationConfig,
  });
  nameLost(ask, dropped);
  return { body, dropped: [...dropped] };
}

function writeConfig(ask: ChatRequest, { model }: WriteOptions, dropped: Set<string>): JsonObject {
  return given<JsonObject>({
    maxOutputTokens: ask.maxTokens,
    temperature: ask.temperature,
    topP: ask.topP,
    topK: ask.topK,
    stopSequences: ask.stop === undefined || ask.stop.length === 0 ? undefined : ask.stop,
    seed: ask.seed,
    frequencyPenalty: ask.frequencyPenalty,
    presencePenalty: ask.presencePenalty,
    ...writeOutput(ask.output),
    thinkingConfig: writeThinking(ask.reasoning, model, dropped),
  });
}

function writeOutput(output: OutputFormat | undefined): JsonObject {
  if (output === undefined || output.type === 'text') return {};
  const schema = output.type === 'schema' ? { responseJsonSchema: inlineReferences(output.schema) } : {};
  return { responseMimeType: 'application/json', ...schema };
}

/** `parametersJsonSchema` takes JSON Schema as tools have it; the older `parameters` takes a subset of OpenAPI's and refuses unknown keywords. */
function writeTool({ name, description, parameters }: ToolSpec): JsonObject {
  if (!TOOL_NAME.test(name)) {
    throw wrong(`tool "${name}"`, 'Gemini takes names of up to 128 letters, digits and "_.:-" that begin with a letter or "_".');
  }
  return given<JsonObject>({
    name,
    description,
    parametersJsonSchema: parameters === undefined ? undefined : inlineReferences(parameters),
  });
}

function writeChoice(choice: ToolChoice): JsonObject {
  if (choice.type === 'tool') return { mode: 'ANY', allowedFunctionNames: [choice.name] };
  // AUTO takes no names; VALIDATED is the mode that does and still may answer with text.
  if (choice.type === 'allowed') return { mode: choice.required ? 'ANY' : 'VALIDATED', allowedFunctionNames: choice.names };
  return { mode: { auto: 'AUTO', none: 'NONE', required: 'ANY' }[choice.type] };
}

/** Fields that Gemini has no place for. */
function nameLost(ask: ChatRequest, dropped: Set<string>): void {
  if (ask.parallelTools === false) dropped.add('parallelTools');
  if (ask.user !== undefined) dropped.add('user');
  if (ask.serviceTier !== undefined) dropped.add('serviceTier');
  if (ask.tools.some(({ strict }) => strict === true)) dropped.add('tools (strict)');
  const parts: readonly Part[] = ask.turns.flatMap((turn) => turn.parts);
  const inside = parts.flatMap((part) => (part.type === 'result' ? part.parts : []));
  if ([...ask.system, ...ask.tools, ...parts, ...inside].some((one) => 'cache' in one)) dropped.add('cache');
}
