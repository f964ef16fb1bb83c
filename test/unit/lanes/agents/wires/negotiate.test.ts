import { describe, expect, it } from 'vitest';
import { AgentError } from '../../../../../src/core/agents.ts';
import { requestedVersion, rpcVersion } from '../../../../../src/lanes/agents/wires/negotiate.ts';

const NONE = new URLSearchParams();

describe('requestedVersion', () => {
  it.each([
    [undefined, '0.3'],
    ['', '0.3'],
    ['  ', '0.3'],
    ['0.3', '0.3'],
    ['0.3.0', '0.3'],
    ['1.0', '1.0'],
    [' 1.0 ', '1.0'],
    ['1.0.1', '1.0'],
  ])('takes %j for %s', (header, version) => {
    expect(requestedVersion({ 'a2a-version': header }, NONE)).toBe(version);
  });

  it('reads the query where there is no header', () => {
    expect(requestedVersion({}, new URLSearchParams('A2A-Version=1.0'))).toBe('1.0');
    expect(requestedVersion({}, new URLSearchParams('a2a-version=1.0'))).toBe('1.0');
    expect(requestedVersion({ 'a2a-version': '0.3' }, new URLSearchParams('A2A-Version=1.0'))).toBe('0.3');
  });

  it.each(['1', '1.1', '2.0', '1.0.x', '0.30', '0.2.6', 'latest', '1.0, 1.0'])('refuses %j and says what is supported', (header) => {
    const read = (): string => requestedVersion({ 'a2a-version': header }, NONE);
    expect(read).toThrow(AgentError);
    expect(read).toThrow(
      expect.objectContaining({
        code: -32009,
        message: expect.stringContaining('1.0, 0.3'),
        details: [expect.objectContaining({ reason: 'VERSION_NOT_SUPPORTED', metadata: { supportedVersions: '1.0, 0.3' } })],
      }),
    );
  });
});

describe('rpcVersion', () => {
  it.each([
    ['SendMessage', '1.0'],
    ['GetExtendedAgentCard', '1.0'],
    ['message/send', '0.3'],
    ['agent/getAuthenticatedExtendedCard', '0.3'],
    ['ping', undefined],
    ['', undefined],
  ])('of %j is %s', (method, version) => {
    expect(rpcVersion(method)).toBe(version);
  });
});
