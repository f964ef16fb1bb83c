/** A whole answer of a vendor that speaks chat completions, for servers that are no mock. */
export function completion(model: string): object {
  const message = { role: 'assistant', content: 'hi' };
  return { id: 'x', object: 'chat.completion', created: 1, model, choices: [{ index: 0, finish_reason: 'stop', message }] };
}
