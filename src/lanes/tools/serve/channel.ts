import { type JsonObject, isObject } from '../../../core/json.ts';
import type { Channel } from '../../../core/contracts/tool-source.ts';
import { SourceError } from '../../../core/contracts/tool-source.ts';
import { GatewayError } from '../../../core/errors.ts';
import type { Logger } from '../../../core/logger.ts';
import type { ToolsChunk, ToolsReply } from '../../../core/tools.ts';
import { Backlog } from '../../../pipeline/streams/backlog.ts';
import { type RpcResponse } from '../mcp/message.ts';
import { RPC } from '../wire-errors.ts';
import type { Caller } from './caller.ts';

/** Milliseconds that a question to the client waits for its answer: a person may have to give it. */
const ANSWER_MS = 5 * 60_000;

let questions = 0;

/**
 * Runs the work of a session source and gives what it says meanwhile, in order, as chunks; the last one is its result. Throws what the work
 * throws. When the reader leaves, the work goes on until it hears of its own signal; when it stands still, notifications are dropped.
 */
export async function* converse(
  caller: Caller,
  meta: JsonObject,
  signal: AbortSignal,
  work: (channel: Channel) => Promise<ToolsReply>,
  log?: Logger,
): AsyncGenerator<ToolsChunk> {
  const said = new Backlog<ToolsChunk>(() => log?.warn({}, 'the client does not read: notifications of the call are dropped'));
  const push = (chunk: ToolsChunk): void => said.push(chunk, chunk.type !== 'notification');
  let failure: { readonly error: unknown } | undefined;
  work(channelOf(caller, meta, signal, push)).then(
    (result) => {
      push({ type: 'result', result });
      said.end();
    },
    (error: unknown) => {
      failure = { error };
      said.end();
    },
  );
  yield* said.read();
  if (failure !== undefined) throw failure.error;
}

function channelOf(caller: Caller, meta: JsonObject, signal: AbortSignal, push: (chunk: ToolsChunk) => void): Channel {
  const { session } = caller;
  return {
    session: session?.id,
    protocolVersion: caller.protocolVersion,
    clientCapabilities: caller.clientCapabilities,
    clientInfo: caller.clientInfo,
    meta,
    canRequest: caller.canAsk,
    notify: (method, params) => push({ type: 'notification', method, params }),
    request(method, params) {
      if (session === undefined || !caller.canAsk) {
        return Promise.reject(
          new GatewayError('bad_request', `This client cannot be asked ${method}: it opened no session, or takes no event stream.`),
        );
      }
      if (signal.aborted) return Promise.reject(new GatewayError('client_closed'));
      const id = `hub-${++questions}`;
      return new Promise((resolve, reject) => {
        const settle = (): void => {
          clearTimeout(timer);
          session.questions.delete(id);
          signal.removeEventListener('abort', leave);
        };
        const leave = (): void => {
          settle();
          reject(new GatewayError('client_closed'));
        };
        // A client that has left without a word neither answers nor cancels.
        const timer = setTimeout(leave, ANSWER_MS).unref();
        session.questions.set(id, {
          answer: (answer) => {
            settle();
            answered(answer, resolve, reject);
          },
          leave,
        });
        signal.addEventListener('abort', leave, { once: true });
        push({ type: 'request', id, method, params });
      });
    },
  };
}

function answered(answer: RpcResponse, resolve: (result: JsonObject) => void, reject: (error: Error) => void): void {
  if (isObject(answer.result)) resolve(answer.result);
  else
    reject(new SourceError(answer.error?.code ?? RPC.internal, answer.error?.message ?? 'The client gave no answer.', answer.error?.data));
}
