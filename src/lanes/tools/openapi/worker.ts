import { parentPort } from 'node:worker_threads';
import { compilePieces } from './compile.ts';
import type { CompileAnswer, CompileQuestion, Texts } from './import-pool.ts';
import type { CompileInput, DocumentFault } from './types.ts';
import { DocumentError } from './types.ts';

/** Characters of one message: what the other side reads in about a millisecond. */
const MESSAGE = 128 * 1024;
/** Messages under way. A thread reads all that wait for it at once, and would be held up by many. */
const MOST_UNDER_WAY = 2;
/** More often would only be work for the other side. */
const PROGRESS_MS = 100;

/** Messages that the other side has not read yet, and who waits for that. */
const flow: { underWay: number; goOn: (() => void) | undefined } = { underWay: 0, goOn: undefined };

/** The other side of `import-pool`: one document in, its parts out as they are ready, each answered by a message when it has been read. */
parentPort?.on('message', (question: CompileQuestion) => {
  if ('input' in question) {
    void compile(question.id, question.input, question.wantsProgress);
    return;
  }
  flow.underWay -= 1;
  flow.goOn?.();
});

async function compile(id: number, input: CompileInput, wantsProgress: boolean): Promise<void> {
  flow.underWay = 0;
  try {
    const { definitions, ...head } = await sendOperations(id, input, wantsProgress);
    let names: string[] = [];
    let texts: string[] = [];
    let length = 0;
    for (const [name, text] of definitions) {
      names.push(name);
      texts.push(text);
      length += text.length;
      if (length < MESSAGE) continue;
      await send({ id, names, definitions: joined(texts) });
      names = [];
      texts = [];
      length = 0;
    }
    await send({ id, names, definitions: joined(texts) });
    parentPort?.postMessage({ id, head } satisfies CompileAnswer);
  } catch (error) {
    parentPort?.postMessage({ id, error: faultOf(error) } satisfies CompileAnswer);
  }
}

async function sendOperations(id: number, input: CompileInput, wantsProgress: boolean) {
  const pieces = compilePieces(input);
  let texts: string[] = [];
  let schemas: string[] = [];
  let length = 0;
  let next = 0;
  for (;;) {
    const { done, value } = pieces.next();
    if (length >= MESSAGE || (done === true && length > 0)) {
      await send({ id, operations: `[${texts.join()}]`, schemas: joined(schemas) });
      texts = [];
      schemas = [];
      length = 0;
    }
    if (done === true) return value;
    if (value.operation !== undefined) {
      texts.push(value.text);
      schemas.push(value.schemaText);
      length += value.text.length + value.schemaText.length;
    }
    const now = wantsProgress ? performance.now() : 0;
    if (now < next || !wantsProgress) continue;
    next = now + PROGRESS_MS;
    parentPort?.postMessage({ id, progress: { done: value.done, operations: value.operations } } satisfies CompileAnswer);
  }
}

function joined(texts: readonly string[]): Texts {
  return { text: texts.join(''), lengths: texts.map(({ length }) => length) };
}

/** Waits for the other side when it is behind. */
async function send(answer: CompileAnswer): Promise<void> {
  while (flow.underWay >= MOST_UNDER_WAY) await new Promise<void>((resolve) => void (flow.goOn = resolve));
  flow.underWay += 1;
  parentPort?.postMessage(answer);
}

function faultOf(error: unknown): DocumentFault {
  if (error instanceof DocumentError) return error.toFault();
  if (error instanceof RangeError) return { code: 'too_expensive', message: 'The document is nested too deep.' };
  return { code: 'internal', message: `The document cannot be read: ${String(error)}` };
}
