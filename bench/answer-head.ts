/** The head of an HTTP/1.1 answer and how its body is framed. */
export interface AnswerHead {
  readonly status: number;
  /** Bytes of the head, its empty line included. */
  readonly bytes: number;
  /** Length of the body; `chunked` when the transfer coding says it. */
  readonly body: number | 'chunked';
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** The head at the start of the bytes; undefined while it is not all there. Throws an Error on what no server in a bench sends. */
export function readHead(bytes: Buffer): AnswerHead | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
  if (Number.isNaN(status)) throw new Error(`no HTTP answer: ${head.slice(0, 80)}`);
  return { status, bytes: end + HEAD_END.length, body: framing(head, status) };
}

function framing(head: string, status: number): AnswerHead['body'] {
  if (status < 200 || status === 204 || status === 304) return 0;
  if (/\r\ntransfer-encoding:[^\r]*chunked/i.test(head)) return 'chunked';
  const length = /\r\ncontent-length:[ \t]*(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error('an answer with neither a length nor chunks');
  return Number(length);
}
