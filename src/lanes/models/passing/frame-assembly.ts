import type { JsonObject } from '../../../core/json.ts';
import { ChatAssembly } from './assemble-chat.ts';
import { MessagesAssembly } from './assemble-messages.ts';
import { ResponsesAssembly } from './assemble-responses.ts';

/** Puts the events of a stream together to the answer that its vendor would have given whole: all that goes out, known to the hub or not. */
export interface FrameAssembly {
  add(data: JsonObject, event?: string): void;
  readonly body: JsonObject;
}

const ASSEMBLIES: Readonly<Record<string, new () => FrameAssembly>> = {
  'openai-chat': ChatAssembly,
  'openai-responses': ResponsesAssembly,
  'anthropic-messages': MessagesAssembly,
};

/** `format` is that of a door. */
export function createFrameAssembly(format: string): FrameAssembly {
  const Assembly = ASSEMBLIES[format];
  if (Assembly === undefined) throw new Error(`no stream of ${format} passes`);
  return new Assembly();
}
