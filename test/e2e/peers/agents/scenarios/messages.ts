import assert from 'node:assert/strict';
import type { Message, Task } from '@a2a-js/sdk';
import { answerOf, listen, say, stateOf, taskOf, textOf } from '../conversation.ts';
import type { Scenario } from './scenario.ts';

const BURST = 200;
const UNICODE = 'Grüße, 世界 👩‍👩‍👧 \u2028 "quoted" \\';

export const MESSAGES: readonly Scenario[] = [
  {
    name: 'send',
    async run({ client, options }) {
      const task = taskOf(await client.sendMessage(say('hello'), options));
      return { state: stateOf(task), answer: answerOf(task), ids: task.id !== '' && task.contextId !== '' };
    },
  },
  {
    name: 'send, Unicode',
    run: async ({ client, options }) => answerOf(taskOf(await client.sendMessage(say(UNICODE), options))),
  },
  {
    name: 'send, bare message',
    async run({ client, options }) {
      const reply = await client.sendMessage(say('message'), options);
      return { task: 'status' in reply, text: textOf((reply as Message).parts) };
    },
  },
  {
    name: 'send, a file of 256 KiB',
    async run({ client, options }) {
      const raw = Buffer.alloc(256 << 10, 7).toString('base64');
      const parts = [{ text: 'file' }, { raw, filename: 'f.bin', mediaType: 'application/json' }];
      return answerOf(taskOf(await client.sendMessage(say('', { message: { parts } }), options)));
    },
  },
  {
    name: 'parts of every kind, there and back',
    async run({ client, options }) {
      const parts = [
        { text: 'parts' },
        { text: 'second', metadata: { lang: 'en' } },
        { raw: Buffer.from('bytes').toString('base64'), filename: 'a.txt', mediaType: 'text/plain' },
        { url: 'https://files.example.com/b.png', filename: 'b.png', mediaType: 'image/png' },
        { data: { list: [1, 'two', null], deep: { yes: true } } },
      ];
      const task = taskOf(await client.sendMessage(say('', { message: { parts } }), options));
      return task.artifacts[0]?.parts.map(({ content, filename, mediaType }) => {
        const value = content?.$case === 'raw' ? Buffer.from(content.value).toString() : content?.value;
        return { kind: content?.$case, value, filename, mediaType };
      });
    },
  },
  {
    name: 'send, not waiting for the end',
    async run({ client, options }) {
      const task = taskOf(await client.sendMessage(say('long 6', { configuration: { returnImmediately: true } }), options));
      assert.match(stateOf(task), /^(?:submitted|working)$/);
      await client.cancelTask({ id: task.id, tenant: '', metadata: {} }, options);
      return 'at work';
    },
  },
  {
    name: 'stream',
    async run({ client, options }) {
      const { kinds, chunks, last } = await listen(client.sendMessageStream(say('long 4'), options));
      return { begins: kinds[0], ends: kinds.at(-1), text: chunks.join(''), last };
    },
  },
  {
    name: `stream, ${BURST} chunks in order`,
    async run({ client, options }) {
      const { chunks, last } = await listen(client.sendMessageStream(say(`burst ${BURST}`), options));
      assert.equal(chunks.join(''), Array.from({ length: BURST }, (_, i) => `chunk ${i + 1} of ${BURST}\n`).join(''));
      return { chunks: chunks.length, last };
    },
  },
  {
    name: 'stream, bare message',
    async run({ client, options }) {
      const { kinds, message } = await listen(client.sendMessageStream(say('message'), options));
      return { kinds, message };
    },
  },
  {
    name: 'stream, ended failed',
    async run({ client, options }) {
      const { last, said } = await listen(client.sendMessageStream(say('fail'), options));
      return { last, said };
    },
  },
  {
    name: 'multi turn',
    async run({ client, options }) {
      const first = taskOf(await client.sendMessage(say('input'), options));
      const second = taskOf(await client.sendMessage(say('more', { message: { taskId: first.id, contextId: first.contextId } }), options));
      return {
        states: [stateOf(first), stateOf(second)],
        asked: textOf(first.status?.message?.parts),
        same: second.id === first.id,
        answer: answerOf(second),
      };
    },
  },
  {
    name: 'multi turn, streamed',
    async run({ client, options }) {
      const first = await listen(client.sendMessageStream(say('input'), options));
      const next = say('long 2', { message: { taskId: first.taskId, contextId: first.contextId } });
      const second = await listen(client.sendMessageStream(next, options));
      return { states: [first.last, second.last], same: second.taskId === first.taskId, text: second.chunks.join('') };
    },
  },
  {
    name: 'another task in the same context',
    async run({ client, options }) {
      const first = taskOf(await client.sendMessage(say('hello'), options));
      const second: Task = taskOf(await client.sendMessage(say('again', { message: { contextId: first.contextId } }), options));
      return { context: second.contextId === first.contextId, task: second.id !== first.id, answer: answerOf(second) };
    },
  },
];
