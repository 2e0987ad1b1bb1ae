import {execFileSync} from 'node:child_process';
import {describe, expect, test} from 'vitest';
import {calendarOf} from '../../source/import/cron.ts';

/** The next times that systemd would start something, in UTC. */
const next = (calendar: string, count: number): string[] =>
  execFileSync(
    'systemd-analyze',
    ['calendar', `--iterations=${count}`, '--base-time=2026-11-21 10:00:00 UTC', `${calendar} UTC`],
    {
      encoding: 'utf8',
      env: {...process.env, TZ: 'UTC', LC_ALL: 'C'},
    },
  )
    .split('\n')
    .flatMap(line => /^ *(?:Next elapse|Iter\. #\d+): (.*) UTC$/.exec(line)?.[1] ?? []);

describe('a schedule of cron', () => {
  test.each([
    ['0 2 * * 0', 'Sun *-*-* 02:00', ['Sun 2026-11-22 02:00:00', 'Sun 2026-11-29 02:00:00']],
    ['0 2 * * 1-6', 'Mon..Sat *-*-* 02:00', ['Mon 2026-11-23 02:00:00', 'Tue 2026-11-24 02:00:00']],
    ['15 */6 * * *', '*-*-* 00/6:15', ['Sat 2026-11-21 12:15:00', 'Sat 2026-11-21 18:15:00']],
    ['30 3 * * *', '*-*-* 03:30', ['Sun 2026-11-22 03:30:00', 'Mon 2026-11-23 03:30:00']],
    ['*/5 * * * *', '*-*-* *:00/5', ['Sat 2026-11-21 10:05:00', 'Sat 2026-11-21 10:10:00']],
    ['0 1,13 * * 7,3', 'Sun,Wed *-*-* 01,13:00', ['Sun 2026-11-22 01:00:00', 'Sun 2026-11-22 13:00:00']],
  ])('%s is %s, as systemd reads it', (cron, calendar, times) => {
    expect(calendarOf(cron)).toEqual({ok: true, value: calendar});
    expect(next(calendar, 2)).toEqual(times);
  });

  test.each([
    '',
    '0 2 1 * *',
    '0 2 * 1 *',
    '0 25 * * *',
    '99 2 * * *',
    '@daily',
    '0 2 * * Sun',
    '0 2 * * * root',
    '0 2-4 * * *',
  ])('that says more is left alone: %j', cron => {
    expect(calendarOf(cron).ok).toBe(false);
  });
});
