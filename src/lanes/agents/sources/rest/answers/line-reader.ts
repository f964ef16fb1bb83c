import { StringDecoder } from 'node:string_decoder';
import type { WireFrame } from '../../../../../core/contracts/provider.ts';
import { GatewayError } from '../../../../../core/errors.ts';
import type { FrameReader } from '../../../../../upstreams/event-stream.ts';

/** Characters. */
const LONGEST_LINE = 8_000_000;
/** What JSON text sequences put before each text (RFC 7464, 2.2). */
const RECORD_SEPARATOR = '\u001E';

/** Lines of JSON, wherever they are cut. Empty lines are none; a last one without its line end is given by `close`. Throws GatewayError `upstream_too_large`. */
export function createLineReader(): FrameReader {
  const decoder = new StringDecoder('utf8');
  let rest = '';

  function take(text: string): WireFrame[] {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE)
      throw new GatewayError('upstream_too_large', 'The application sent one line that is larger than the hub takes.');
    return lines.flatMap(frame);
  }

  return {
    push: (bytes) => take(decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))),
    close: () => [...take(decoder.end()), ...frame(rest)],
  };
}

function frame(line: string): WireFrame[] {
  const data = line.replaceAll(RECORD_SEPARATOR, '').trim();
  return data === '' ? [] : [{ data }];
}
