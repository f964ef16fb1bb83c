import type { JsonObject } from '../../../core/json.ts';
import type { ContentBlock, ToolsReply } from '../../../core/tools.ts';
import { cutJson, cutText } from '../openapi/wire/cut.ts';
import { parseExact } from '../openapi/wire/json-text.ts';
import type { WholeResult } from './kept-results.ts';

export interface FitOptions {
  /** The tool's name on the door. */
  readonly tool: string;
  /** The caller's revision knows `resource_link` (from 2025-06-18); others are told in words. */
  readonly links: boolean;
  /** Puts the whole away and gives its URI, unless it is too large even for that. */
  keep(result: WholeResult): string | undefined;
  /** Characters of one text; about 25,000 tokens when absent. */
  readonly textLimit?: number;
}

const TEXT_LIMIT = 100_000;
const MEDIA_LIMIT = 4 * 1024 * 1024;
const RESOURCE_LIMIT = 1024 * 1024;

/** Brings a result under the limits: long texts are cut, large files left out, and the whole of each is kept and linked. Others are untouched. */
export function fitResult(reply: ToolsReply, options: FitOptions): ToolsReply {
  const { textLimit = TEXT_LIMIT } = options;
  if (reply.content === undefined || !reply.content.some((block) => isOver(block, textLimit))) return reply;
  const content = reply.content.flatMap((block) => (isOver(block, textLimit) ? fitted(block, textLimit, options) : [block]));
  const { structuredContent } = reply;
  if (structuredContent === undefined) return { ...reply, content };
  return { ...reply, content, structuredContent: cutStructured(structuredContent, textLimit) };
}

function isOver(block: ContentBlock, textLimit: number): boolean {
  if (block.type === 'text') return block.text.length > textLimit;
  if (block.type === 'image' || block.type === 'audio') return bytesOf(block.data) > MEDIA_LIMIT;
  return block.type === 'resource' && typeof block.resource['blob'] === 'string' && bytesOf(block.resource['blob']) > RESOURCE_LIMIT;
}

function bytesOf(base64: string): number {
  return Math.floor((base64.length * 3) / 4) - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0);
}

function fitted(block: ContentBlock, textLimit: number, options: FitOptions): ContentBlock[] {
  const { tool } = options;
  if (block.type === 'text') {
    const { text, isJson } = cutAny(block.text, textLimit);
    const whole = { body: Buffer.from(block.text), mimeType: isJson ? 'application/json' : 'text/plain', isText: true, tool };
    return [{ ...block, text }, ...linkTo(whole, options)];
  }
  const [base64, mimeType, limit] =
    block.type === 'resource'
      ? [String(block.resource['blob']), String(block.resource['mimeType']), RESOURCE_LIMIT]
      : [String(block['data']), String(block['mimeType']), MEDIA_LIMIT];
  const body = Buffer.from(base64, 'base64');
  const text = `The answer is ${body.length} bytes of ${mimeType}, more than the ${limit / 1024 / 1024} MB that a result holds, and is not shown.`;
  return [{ type: 'text', text }, ...linkTo({ body, mimeType, isText: false, tool }, options)];
}

function linkTo(whole: WholeResult, { tool, links, keep }: FitOptions): ContentBlock[] {
  const uri = keep(whole);
  if (uri === undefined) return [];
  const { mimeType, body } = whole;
  const description = 'All of this answer, in pages, for some minutes: resources/read gives the first one and the URI of the next.';
  if (links) return [{ type: 'resource_link', uri, name: `${tool} result`, description, mimeType, size: body.length }];
  return [{ type: 'text', text: `${uri} (${mimeType}, ${body.length} bytes): ${description}` }];
}

/** JSON is cut between values, other text in its middle. Numbers keep their digits. */
function cutAny(text: string, limit: number): { text: string; isJson: boolean } {
  if (/^\s*[[{"]/.test(text)) {
    try {
      return { text: cutJson(parseExact(text), limit), isJson: true };
    } catch {
      // Not JSON, or nested deeper than the stack is.
    }
  }
  return { text: cutText(text, limit), isJson: false };
}

/** Without the notes that a text has where something is left out: they would not keep to the schema. */
function cutStructured(value: unknown, limit: number): unknown {
  try {
    return JSON.parse(cutJson(value, limit, false)) as JsonObject;
  } catch {
    return {};
  }
}
