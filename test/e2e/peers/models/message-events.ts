/** The frames of one streamed answer of the Messages API, and what breaks its rules. */
export interface Wire {
  readonly faults: readonly string[];
}

interface Event {
  readonly type: string;
  readonly index?: number;
}

/** Reads the text of a stream: every frame is named, blocks come one after the other, and the last frame completes the message. */
export function readEvents(text: string): Wire {
  const faults: string[] = [];
  const frames = text
    .split('\n\n')
    .filter((frame) => frame !== '' && !frame.startsWith(':'))
    .map((frame) => ({ name: /^event: (.*)$/m.exec(frame)?.[1], data: JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? '{}') as Event }));
  for (const { name, data } of frames) if (name !== data.type) faults.push(`event ${name} has the data of ${data.type}`);
  const types = frames.map(({ data }) => data.type).filter((type) => type !== 'ping');
  if (types[0] !== 'message_start') faults.push(`begins with ${types[0]}`);
  if (types.slice(-2).join(' ') !== 'message_delta message_stop') faults.push(`ends with ${types.slice(-2).join(' ')}`);
  let open: number | undefined;
  let next = 0;
  for (const { data } of frames) {
    if (data.type === 'content_block_start') {
      if (open !== undefined || data.index !== next) faults.push(`block ${data.index} starts inside ${open}, expected ${next}`);
      open = next++;
    } else if (data.type.startsWith('content_block_') && data.index !== open) faults.push(`${data.type} of ${data.index} inside ${open}`);
    if (data.type === 'content_block_stop') open = undefined;
  }
  if (open !== undefined) faults.push(`block ${open} never stops`);
  return { faults };
}
