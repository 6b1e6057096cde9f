import { expect, test } from 'vitest';
import { tellSkew } from '../../../src/actions/session/clock-skew.ts';

const now = { startedAt: Date.parse('2026-05-06T07:08:09Z') };
const at = (time: string, toldAt = 0) => ({ time, toldAt });

test('clocks that agree within a minute, or that are not told, are no matter', () => {
  expect([
    tellSkew(now, at('2026-05-06T07:09:00.123456789Z'), 'box'),
    tellSkew(now, at('2026-05-06T09:08:09+02:00'), 'box'),
    // A person took an hour to type a password.
    tellSkew(now, at('2026-05-06T08:08:09Z', 3_600_000), 'box'),
    tellSkew(now, at('soon'), 'box'),
    tellSkew(now, undefined, 'box'),
  ]).toEqual([undefined, undefined, undefined, undefined, undefined]);
});

test("a machine's clock that stood still is told with the command that sets it", () => {
  expect(tellSkew(now, at('2026-05-06T06:08:09Z'), 'box')).toEqual({
    detail:
      "the engine's clock is 3600 s away from this machine's: build tools that compare file times will be confused",
    todo: ['docker-machine ssh box sudo date -u -s @$(date +%s)', 'timedatectl set-ntp true'],
  });
  expect(tellSkew(now, at('2026-05-06T06:08:09Z'), undefined)?.todo).toEqual(['timedatectl set-ntp true']);
});
