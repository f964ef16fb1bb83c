import type { AgentRestConfig, RestSkillConfig } from '../../../../config/types.ts';
import { GatewayError } from '../../../../core/errors.ts';
import type { UpstreamStream } from '../../../../core/upstream.ts';
import { readAnswer, readBody, readRefusal, throwUnwell, type AppAnswer } from './answers/app-answer.ts';
import { formatOf, readPieces } from './answers/app-stream.ts';
import type { Begun, Exchange } from './exchange.ts';
import { pollingOf } from './answers/job-watch.ts';
import { LATER_NAMES, laterValues, MESSAGE_NAMES, messageValues, type RestSettings } from './message-values.ts';
import { compileRequest, TemplateError } from './template/template.ts';
import type { LaterTurn } from './turn.ts';

/** The parts of the configuration that say how a message is exchanged. */
export type ExchangeConfig = Pick<AgentRestConfig & RestSkillConfig, 'request' | 'response' | 'stream' | 'poll' | 'cancel' | 'answer'>;

export interface TemplateExchangeOptions {
  readonly agent: string;
  readonly config: ExchangeConfig;
  /** Where it stands in the configuration, for messages: `rest`, `rest.skills.0`. */
  readonly at: string;
  /** The path of the base URL. */
  readonly base: string;
  readonly settings: RestSettings;
}

/** A plain answer that the hub holds whole. */
const LARGEST = 16_000_000;

/** An exchange by templates. Throws TemplateError for one that cannot be used. */
export function templateExchange(options: TemplateExchangeOptions): Exchange {
  const { agent, config, at, base, settings } = options;
  const { request, response = {}, poll, cancel, answer } = config;
  if (request === undefined) throw new TemplateError(`${at}.request: say which request a message becomes, or set rest.preset.`);
  if (poll !== undefined && response.job === undefined)
    throw new TemplateError(`${at}.response.job: poll needs the place of the job's id in the answer.`);
  const usual = { base, method: 'POST', names: LATER_NAMES };
  const message = compileRequest(request, { at: `${at}.request`, base, method: 'POST', names: MESSAGE_NAMES });
  const asking = poll === undefined ? undefined : compileRequest(poll.request ?? {}, { ...usual, at: `${at}.poll.request`, method: 'GET' });
  const ending = cancel === undefined ? undefined : compileRequest(cancel, { ...usual, at: `${at}.cancel` });
  const later = (turn: LaterTurn, job: string) => laterValues({ ...turn, agent, settings }, job);

  return {
    answersPlainly: answer === 'message',
    needsTurns: JSON.stringify(request).includes('${messages'),
    async begin(turn, line) {
      const filled = message({ ...messageValues({ ...turn, agent, settings }), ...(turn.job === undefined ? {} : { job: turn.job }) });
      const accept =
        config.stream === undefined ? 'application/json, */*;q=0.1' : 'application/json, text/event-stream, application/x-ndjson';
      const opened = await line.open({ ...filled, headers: { accept, ...filled.headers } });
      return taken(config, opened, turn.job);
    },
    ...(poll === undefined || asking === undefined
      ? {}
      : { polling: pollingOf(poll, { ...response, ...poll.response }, (turn, job) => asking(later(turn, job))) }),
    ...(ending === undefined
      ? {}
      : {
          async cancel(turn, job, line) {
            const { status } = await line.send(ending(later(turn, job)));
            if (status >= 400) throw new GatewayError('upstream_failed', undefined, { detail: `status ${status}` });
          },
        }),
  };
}

/** `earlier` is the job of a task that goes on. */
async function taken({ stream, response = {}, poll }: ExchangeConfig, opened: UpstreamStream, earlier: string | undefined): Promise<Begun> {
  const { status, headers } = opened;
  const isGood = status >= 200 && status < 300;
  const format = isGood ? formatOf(stream, headers) : undefined;
  if (format !== undefined) return { type: 'pieces', pieces: readPieces(stream ?? {}, format, opened.body) };
  const body = await collect(opened.body);
  throwUnwell(opened, Date.now());
  const value = readBody(body);
  if (!isGood) return { type: 'answer', answer: readRefusal(response, status, value) };
  const answer: AppAnswer = readAnswer(response, value);
  // Without a word that ends it, an answer with a job is one that has only begun.
  const hasBegun = answer.state === 'unknown' || answer.state === 'working' || (answer.state === 'completed' && answer.isNamed !== true);
  const job = answer.job ?? earlier;
  if (poll !== undefined && job !== undefined && hasBegun) return { type: 'job', job, answer };
  return { type: 'answer', answer: answer.state === 'unknown' ? { ...answer, state: 'completed' } : answer };
}

async function collect(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LARGEST) throw new GatewayError('upstream_too_large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
