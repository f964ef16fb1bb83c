import { describe, expect, it, onTestFinished } from 'vitest';
import type { AgentConfig, AgentTargetConfig } from '../../../../../src/config/types.ts';
import type { Call } from '../../../../../src/core/call.ts';
import { Secret } from '../../../../../src/core/secret.ts';
import type { RequestSigner, UpstreamRequest, UpstreamResponse } from '../../../../../src/core/upstream.ts';
import { createSource, type SourceHost } from '../../../../../src/lanes/agents/registry/create-source.ts';
import { createHubTasks } from '../../../../../src/lanes/agents/sources/rest/tasks/hub-tasks.ts';
import { fetchDocument, type FetchDocumentOptions } from '../../../../../src/upstreams/document.ts';
import type { UpstreamHttp } from '../../../../../src/upstreams/http.ts';
import { SILENT } from '../../../pipeline/live-calls.ts';
import { ALICE, cardAt, messageTo, target } from '../start-agents.ts';
import { openTasks } from '../tasks/open-tasks.ts';

async function hostOf(): Promise<{ sent: UpstreamRequest[]; host: SourceHost }> {
  const sent: UpstreamRequest[] = [];
  const send: UpstreamHttp['send'] = async (request): Promise<UpstreamResponse> => {
    sent.push(request);
    return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(cardAt(request.origin))) };
  };
  const { store } = await openTasks();
  const tasks = createHubTasks({ agent: 'travel', instance: 'travel', store, log: SILENT, notify: async () => undefined });
  onTestFinished(() => tasks.close());
  const http = {
    send,
    open: send,
    fetchDocument: (url: string, options: FetchDocumentOptions) => fetchDocument(send, url, options),
  } as unknown as UpstreamHttp;
  return {
    sent,
    host: {
      http,
      log: SILENT,
      redact: (text) => text,
      addSecret: () => () => undefined,
      hubTasks: () => tasks,
      operations: () => undefined,
    },
  };
}

async function made(config: AgentConfig, more: { readonly target?: AgentTargetConfig; readonly origin?: 'file' | 'store' } = {}) {
  const { sent, host } = await hostOf();
  const source = createSource({ id: 'travel', name: 'travel', config, target: more.target, origin: more.origin ?? 'file' }, host);
  onTestFinished(() => source[Symbol.asyncDispose]?.());
  return { source, sent };
}

describe('an instance that speaks A2A', () => {
  it('has its card read, as the configuration says, with what it says of credentials and headers', async () => {
    const { source, sent } = await made({
      card: 'http://a.test',
      auth: { bearer: new Secret('k') },
      headers: { 'X-Tenant': new Secret('7') },
    });
    expect([source.name, source.upstream]).toEqual(['travel', 'http://a.test']);
    await source.refresh();
    expect(source.snapshot.state).toBe('ready');
    expect(sent[0]).toMatchObject({ origin: 'http://a.test', trust: 'operator', headers: { authorization: 'Bearer k', 'x-tenant': '7' } });
  });

  it('a target has its own address and its own credential, or that of the agent', async () => {
    const auth = { bearer: new Secret('shared') };
    for (const [own, expected] of [
      [{ auth: { bearer: new Secret('own') } }, 'Bearer own'],
      [{}, 'Bearer shared'],
    ] as const) {
      const { source, sent } = await made({ targets: [], auth }, { target: target('http://b.test', own) });
      await source.refresh();
      expect([sent[0]!.origin, sent[0]!.headers['authorization']]).toEqual(['http://b.test', expected]);
    }
  });

  it('what came by the admin API reaches public addresses only', async () => {
    const { source, sent } = await made({ card: 'http://a.test' }, { origin: 'store' });
    await source.refresh();
    expect(sent.map(({ trust }) => trust)).toEqual(['public']);
  });

  it('says where the configuration says nothing', async () =>
    await expect(made({})).rejects.toThrow('agents.travel: set one of card, targets and rest.'));
});

describe('an HTTP application', () => {
  const REST: AgentConfig['rest'] = {
    url: 'http://app.test/v1',
    request: { path: '/chat', body: { q: '${text}' } },
    response: { text: '.' },
  };

  /** What one message to it is sent with. */
  async function sentBy(config: AgentConfig, origin?: 'file' | 'store') {
    const { source } = await made({ rest: REST, ...config }, origin === undefined ? {} : { origin });
    let request: UpstreamRequest | undefined;
    const take = async (asked: UpstreamRequest, signers: readonly RequestSigner[]): Promise<never> => {
      request = asked;
      for (const signer of signers) request = await signer.sign(request, { refresh: false });
      throw new Error('seen enough');
    };
    const call = {
      id: 'x',
      operation: 'message/send',
      consumer: ALICE,
      signal: new AbortController().signal,
      input: { agent: 'travel', params: messageTo() },
      log: SILENT,
    } as unknown as Call<'agents'>;
    const line = { operation: 'message/send', params: messageTo(), extensions: [], send: take, open: take } as const;
    await expect(source.call(call, line)).rejects.toMatchObject({ detail: expect.stringContaining('seen enough') });
    return request;
  }

  it('is called with the credential and the headers of the agent', async () =>
    expect(await sentBy({ auth: { bearer: new Secret('k') }, headers: { 'X-Tenant': new Secret('7') } })).toMatchObject({
      origin: 'http://app.test',
      trust: 'operator',
      headers: { authorization: 'Bearer k', 'x-tenant': '7' },
    }));

  it('what came by the admin API reaches public addresses only', async () =>
    expect(await sentBy({}, 'store')).toMatchObject({ trust: 'public' }));

  it.each<[string, AgentConfig['auth']]>([
    ['oauth', 'oauth'],
    ['forward', { forward: {} } as never],
    ['schemes', { schemes: {} } as never],
  ])(
    'takes no %s: there is no card to say what is meant',
    async (_, auth) =>
      await expect(made({ rest: REST, auth })).rejects.toThrow(
        'agents.travel.auth: an HTTP application takes bearer, basic, header, query or oauth2.',
      ),
  );
});
