// The answers of the model behind everything that is measured: whole ones of about 1 KB, and streams of the pace that the model's name says:
// mock-64x50f100 is 64 chunks of about 280 bytes, one each 50 ms, the first after 100 ms.
// The text of each chunk says when it was written (ts, microseconds of the monotonic clock), that of the first how long the model let the
// caller wait for it (waited, microseconds): so the load client can tell what was added on the way.
const PROSE =
  'The report names three risks. First, the supplier contract ends in March and nobody has been asked to renew it; the head of purchasing ' +
  'should open talks this week. Second, the new billing service has no second instance, so one failure stops all invoices; the platform team ' +
  'should add one before the end of the quarter. Third, two of the five people who know the import job are leaving; their manager should plan ' +
  'a handover now. Everything else can wait.';
const WORDS = ['The', 'report', 'names', 'three', 'risks', 'and', 'who', 'should', 'act'];
const USAGE =
  '"usage":{"prompt_tokens":100,"completion_tokens":43,"total_tokens":143,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},' +
  '"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}';
const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n';
const STREAM_END = '0\r\n\r\n';

export const wholeChat = (model) =>
  `{"id":"chatcmpl-mock0123456789abcdef","object":"chat.completion","created":1760000000,"model":${JSON.stringify(model)},"choices":[{"index":0,` +
  `"message":{"role":"assistant","content":"${PROSE}","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],${USAGE},` +
  '"service_tier":"default","system_fingerprint":"fp_mock"}';

export const wholeMessage = (model) =>
  `{"id":"msg_mock0123456789","type":"message","role":"assistant","model":${JSON.stringify(model)},"content":[{"type":"text","text":"${PROSE}"}],` +
  '"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":100,"output_tokens":43}}';

/** Streams a chat to the socket; gives what stops it. */
export function startStream(socket, { model, stream_options: options }) {
  const asked = nowMicros();
  const [, count, step, first = '0'] = /mock-(\d+)x(\d+)(?:f(\d+))?/.exec(model) ?? ['', '64', '50'];
  const head = `data: {"id":"chatcmpl-mock0123456789abcdef","object":"chat.completion.chunk","created":1760000000,"model":${JSON.stringify(model)},"system_fingerprint":"fp_mock"`;
  const last = [',"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}'];
  if (options?.include_usage === true) last.push(`,"choices":[],${USAGE}}`);
  const end = [...last.map((rest) => head + rest), 'data: [DONE]'].map(event).join('') + STREAM_END;

  let due = asked + Number(first) * 1000;
  let sent = 0;
  let timer;
  const next = () => {
    const ts = nowMicros();
    const opening =
      sent === 0 ? `"role":"assistant","content":"${WORDS[0]} waited=${ts - asked}` : `"content":" ${WORDS[sent % WORDS.length]}`;
    const chunk = event(`${head},"ts":${ts},"choices":[{"index":0,"delta":{${opening} ts=${ts}"},"logprobs":null,"finish_reason":null}]}`);
    sent++;
    if (sent === Number(count)) return void socket.write(chunk + end, 'latin1');
    socket.write(chunk, 'latin1');
    due += Number(step) * 1000;
    timer = setTimeout(next, (due - ts) / 1000);
  };
  socket.write(STREAM_HEAD, 'latin1');
  timer = setTimeout(next, Number(first));
  return () => clearTimeout(timer);
}

/** One event as one chunk of the transfer coding. */
function event(text) {
  const bytes = `${text}\n\n`;
  return `${bytes.length.toString(16)}\r\n${bytes}\r\n`;
}

function nowMicros() {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanos / 1000);
}
