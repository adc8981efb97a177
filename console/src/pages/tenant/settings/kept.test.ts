import { expect, test } from 'vitest';
import { kept } from './kept';

test.each([
  ['2 years', '2 years'], ['90 days', '90 days'], ['1 mon', '1 month'], ['1 year 6 mons', '1 year 6 months'], ['1 day 12:00:00', '1 day 12 hours'],
  ['36:30:00', '36 hours 30 minutes'], ['1 mon 01:00:01', '1 month 1 hour 1 second'],
])('%s is told as %s', (interval, text) => {
  expect(kept(interval)).toBe(text);
});
