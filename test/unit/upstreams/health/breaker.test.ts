import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Breaker, type BreakerSettings, type Ending } from '../../../../src/upstreams/health/breaker.ts';

const START = Date.UTC(2026, 10, 21);

/** One call from beginning to end, at once. */
function call(breaker: Breaker, now: number, how: Ending): void {
  breaker.ended(now, breaker.begin(now), how);
}

function opened(settings?: Partial<BreakerSettings>): Breaker {
  const breaker = new Breaker(settings);
  for (let failure = 0; failure < (settings?.failures ?? 5); failure++) call(breaker, START, 'failed');
  expect(breaker.state(START)).toBe('open');
  return breaker;
}

describe('a closed breaker', () => {
  it('opens after five failures in a row, not before', () => {
    const breaker = new Breaker();
    for (let failure = 0; failure < 4; failure++) call(breaker, START, 'failed');
    expect(breaker.state(START)).toBe('closed');
    call(breaker, START, 'failed');
    expect(breaker.state(START)).toBe('open');
    expect(breaker.lets(START)).toBe(false);
    expect(breaker.retryAt(START)).toBe(START + 10_000);
  });

  it('begins to count again after a success, and counts nothing for what says nothing', () => {
    const breaker = new Breaker();
    for (let round = 0; round < 3; round++) {
      for (let failure = 0; failure < 4; failure++) call(breaker, START + round * 60_000, 'failed');
      call(breaker, START + round * 60_000, 'neutral');
      expect(breaker.state(START)).toBe('closed');
      call(breaker, START + round * 60_000, 'ok');
    }
    expect(breaker.state(START + 120_000)).toBe('closed');
    for (let failure = 0; failure < 4; failure++) call(breaker, START + 180_000, 'failed');
    for (let neutral = 0; neutral < 100; neutral++) call(breaker, START + 180_000, 'neutral');
    call(breaker, START + 180_000, 'failed');
    expect(breaker.state(START + 180_000)).toBe('open');
  });

  it.each([
    { results: 19, open: false },
    { results: 20, open: true },
  ])('opens when half of $results results in the window failed: $open', ({ results, open }) => {
    const breaker = new Breaker();
    // Ends with a failure: a share is looked at when there is a new one.
    for (let index = results; index > 0; index--) call(breaker, START + index, index % 2 === 0 ? 'ok' : 'failed');
    expect(breaker.state(START + results)).toBe(open ? 'open' : 'closed');
  });

  it('stays closed below the share', () => {
    const breaker = new Breaker();
    for (let index = 0; index < 300; index++) call(breaker, START + index, index % 5 < 2 ? 'failed' : 'ok');
    expect(breaker.state(START + 300)).toBe('closed');
  });

  it('forgets results that have left the window', () => {
    const breaker = new Breaker({ failures: 1_000 });
    for (let index = 0; index < 19; index++) call(breaker, START, 'failed');
    call(breaker, START + 10_000, 'failed');
    expect(breaker.state(START + 10_000)).toBe('closed');
    for (let index = 0; index < 18; index++) call(breaker, START + 18_900, 'failed');
    expect(breaker.state(START + 18_900)).toBe('closed');
    call(breaker, START + 18_999, 'failed');
    expect(breaker.state(START + 18_999)).toBe('open');
  });

  it('counts all that is in the window', () => {
    const breaker = new Breaker({ failures: 1_000 });
    for (let index = 0; index < 19; index++) call(breaker, START, 'failed');
    call(breaker, START + 9_999, 'failed');
    expect(breaker.state(START + 9_999)).toBe('open');
  });

  it('begins a new window when it gets another length', () => {
    const now = START + 7_000;
    const breaker = new Breaker({ failures: 1_000 });
    for (let index = 0; index < 19; index++) call(breaker, now, 'failed');
    breaker.configure({ failures: 1_000, window: 20_000 });
    for (let index = 0; index < 19; index++) call(breaker, now, 'failed');
    expect(breaker.state(now)).toBe('closed');
    call(breaker, now, 'failed');
    expect(breaker.state(now)).toBe('open');
  });

  it('takes other settings', () => {
    const breaker = new Breaker({ failures: 2, open: 1_000 });
    call(breaker, START, 'failed');
    breaker.configure({ failures: 3, open: 500, window: 1_000 });
    call(breaker, START, 'failed');
    expect(breaker.state(START)).toBe('closed');
    call(breaker, START, 'failed');
    expect(breaker.retryAt(START)).toBe(START + 500);
    breaker.configure();
    expect(breaker.state(START)).toBe('open');
  });
});

describe('an open breaker', () => {
  it('lets one probe through when its time is over', () => {
    const breaker = opened();
    expect(breaker.lets(START + 9_999)).toBe(false);
    const then = START + 10_000;
    expect([breaker.state(then), breaker.lets(then), breaker.retryAt(then)]).toEqual(['half-open', true, then]);
    const probe = breaker.begin(then);
    expect(probe).toBeGreaterThan(0);
    expect([breaker.state(then), breaker.lets(then), breaker.begin(then)]).toEqual(['half-open', false, 0]);
    expect(breaker.retryAt(then)).toBeGreaterThan(then);
    breaker.ended(then + 50, probe, 'ok');
    expect([breaker.state(then + 50), breaker.lets(then + 50)]).toEqual(['closed', true]);
  });

  it('forgets the failures once a probe succeeded', () => {
    const breaker = opened();
    call(breaker, START + 10_000, 'ok');
    for (let failure = 0; failure < 4; failure++) call(breaker, START + 10_000, 'failed');
    expect(breaker.state(START + 10_000)).toBe('closed');
    call(breaker, START + 10_000, 'failed');
    // The first time again, not doubled.
    expect(breaker.retryAt(START + 10_000)).toBe(START + 20_000);
  });

  it('forgets the window too', () => {
    const breaker = opened({ failures: 4, minimum: 5, open: 1_000 });
    call(breaker, START + 1_000, 'ok');
    call(breaker, START + 1_000, 'failed');
    expect(breaker.state(START + 1_000)).toBe('closed');
  });

  it('a probe given up holds no place the next time', () => {
    const breaker = opened({ open: 60_000 });
    const first = breaker.begin(START + 60_000);
    breaker.begin(START + 120_000);
    breaker.ended(START + 120_001, first, 'ok');
    breaker.configure({ open: 1_000 });
    for (let failure = 0; failure < 5; failure++) call(breaker, START + 121_000, 'failed');
    expect(breaker.lets(START + 122_000)).toBe(true);
  });

  it('stays open twice as long after each failed probe, up to a minute', () => {
    const breaker = opened();
    let now = START;
    for (const seconds of [10, 20, 40, 60, 60]) {
      expect(breaker.retryAt(now)).toBe(now + seconds * 1_000);
      now += seconds * 1_000;
      call(breaker, now, 'failed');
      expect(breaker.state(now)).toBe('open');
    }
  });

  it('never stays open for less than was asked, however long that is', () => {
    const breaker = opened({ open: 300_000 });
    call(breaker, START + 300_000, 'failed');
    expect(breaker.retryAt(START + 300_000)).toBe(START + 600_000);
  });

  it('gives the place of a probe that says nothing to the next', () => {
    const breaker = opened();
    const then = START + 10_000;
    call(breaker, then, 'neutral');
    expect([breaker.state(then), breaker.lets(then)]).toEqual(['half-open', true]);
    expect(breaker.begin(then)).toBeGreaterThan(0);
  });

  it('gives up a probe that never ends after the time it was open, and still hears of it', () => {
    const breaker = opened();
    const first = breaker.begin(START + 10_000);
    expect(breaker.lets(START + 19_999)).toBe(false);
    expect(breaker.lets(START + 20_000)).toBe(true);
    const second = breaker.begin(START + 20_000);
    expect(breaker.lets(START + 20_001)).toBe(false);
    // A neutral end of the first does not free the place of the second.
    breaker.ended(START + 20_002, first, 'neutral');
    expect(breaker.lets(START + 20_003)).toBe(false);
    breaker.ended(START + 20_004, second, 'neutral');
    const third = breaker.begin(START + 20_005);
    breaker.begin(START + 40_000);
    breaker.ended(START + 41_000, third, 'ok');
    expect(breaker.state(START + 41_000)).toBe('closed');
  });

  it('hears nothing from calls that set out before it opened', () => {
    const breaker = new Breaker();
    const early = breaker.begin(START);
    for (let failure = 0; failure < 5; failure++) call(breaker, START, 'failed');
    breaker.ended(START + 1, early, 'ok');
    expect(breaker.state(START + 1)).toBe('open');
    breaker.ended(START + 12_000, early, 'failed');
    expect(breaker.retryAt(START + 12_000)).toBe(START + 12_000);
    const lost = breaker.begin(START + 12_000);
    call(breaker, START + 22_000, 'failed');
    breaker.ended(START + 22_001, lost, 'ok');
    expect(breaker.state(START + 22_001)).toBe('open');
  });
});

it('never has two probes of the last time on their way, and closes only on a success', () => {
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 4_000 }),
    do: fc.constantFrom('begin', 'ok', 'failed', 'neutral'),
    which: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const breaker = new Breaker({ failures: 2, open: 5_000 });
      const running: { probe: number; began: number }[] = [];
      let now = START;
      for (const one of steps) {
        now += one.wait;
        const before = breaker.state(now);
        if (one.do === 'begin') {
          if (!breaker.lets(now)) continue;
          expect(breaker.retryAt(now)).toBe(now);
          const probe = breaker.begin(now);
          expect(probe > 0).toBe(before === 'half-open');
          running.push({ probe, began: now });
          if (before === 'half-open') expect(breaker.lets(now)).toBe(false);
          continue;
        }
        const [ended] = running.splice(one.which % (running.length || 1), 1);
        if (ended === undefined) continue;
        breaker.ended(now, ended.probe, one.do as Ending);
        const after = breaker.state(now);
        if (before !== 'closed' && after === 'closed') expect(one.do).toBe('ok');
        if (before !== 'open' && after === 'open') expect(one.do).toBe('failed');
      }
      // Whatever became of the probes, some day another may set out.
      expect(breaker.lets(now + 120_000)).toBe(true);
    }),
  );
});
