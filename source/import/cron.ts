import {err, ok, type Result} from '../result.ts';

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/** `*`, `5`, `1,13`, `0-6` and steps of all, as both cron and systemd understand them, with two digits. */
const timeField = (text: string, most: number): string | undefined => {
  const step = /^\*\/([1-9]\d?)$/.exec(text);
  if (step) return Number(step[1]) <= most ? `00/${Number(step[1])}` : undefined;
  if (text === '*') return '*';
  const numbers = text.split(',');
  return numbers.every(each => /^\d{1,2}$/.test(each) && Number(each) <= most)
    ? numbers.map(each => each.padStart(2, '0')).join(',')
    : undefined;
};

const dayField = (text: string): string | undefined => {
  const parts = text.split(',').map(part => {
    const [, first = '', last] = /^([0-7])(?:-([0-7]))?$/.exec(part) ?? [];
    if (first === '') return undefined;
    return last === undefined ? days[Number(first)] : `${days[Number(first)]}..${days[Number(last)]}`;
  });
  return parts.includes(undefined) ? undefined : parts.join(',');
};

/** A schedule of cron that concerns times of the day and days of the week only, as systemd writes it (systemd.time(7)). */
export const calendarOf = (cron: string): Result<string, string> => {
  const [minute = '', hour = '', day = '', month = '', weekday = '', ...rest] = cron.trim().split(/\s+/);
  const at = [timeField(hour, 23), timeField(minute, 59)];
  const on = weekday === '*' ? '' : dayField(weekday);
  if (at.includes(undefined) || on === undefined || day !== '*' || month !== '*' || rest.length > 0) {
    return err(`"${cron}" cannot be written as a time of systemd’s calendar; the usual time stays`);
  }
  return ok(`${on === '' ? '' : `${on} `}*-*-* ${at.join(':')}`);
};
