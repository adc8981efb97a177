import { expect, test } from 'vitest';
import { slugOf } from './slug';

test.each([
  ['Café Ünal & Söhne', 'cafe-unal-sohne'], ['  Two   words ', 'two-words'], ['--a--', 'a'], ['日本', ''], [`${'x'.repeat(99)} y`, 'x'.repeat(99)],
])('%s is called %s', (name, slug) => {
  expect(slugOf(name)).toBe(slug);
});
