import { describe, expect, test } from 'vitest';
import { layOut } from './expression';

const squeezed = (text: string) => text.replace(/[\s()]+/g, '');

describe('layOut', () => {
  test('takes the outer brackets off what fits on a line', () => {
    expect(layOut('((tenant_id = 1))')).toBe('tenant_id = 1');
    expect(layOut('((a = 1) AND (b = 2))')).toBe('a = 1 AND b = 2');
    expect(layOut('true')).toBe('true');
  });

  test('puts what AND joins one below the other', () => {
    expect(layOut('((tenant_id >= ( SELECT vital.floor() AS floor)) AND (tenant_id <= \'ffff\'::uuid))', 48)).toBe(
      'tenant_id >= (SELECT vital.floor())\nAND tenant_id <= \'ffff\'::uuid');
  });

  test('goes into brackets that do not fit', () => {
    expect(layOut('(id = ANY (ARRAY( SELECT vital.member_tenant_ids() AS member_tenant_ids)))', 44)).toBe(
      'id = ANY (\n  ARRAY(SELECT vital.member_tenant_ids())\n)');
  });

  test('keeps the brackets that mean something', () => {
    expect(layOut('((a = 1) AND ((b = 2) OR (c = 3)))')).toBe('a = 1 AND (b = 2 OR c = 3)');
    expect(layOut('(NOT (a AND b))')).toBe('NOT (a AND b)');
    expect(layOut('((NOT (a = 1)) AND (f(a) = (1 + 2)))')).toBe('NOT (a = 1) AND f(a) = (1 + 2)');
    expect(layOut('(a IN ( SELECT f.a AS b FROM f))')).toBe('a IN (SELECT f.a AS b FROM f)');
  });

  test('leaves what is quoted alone, and loses nothing', () => {
    const odd = `((name <> ' AND ( ''x'' ') AND ("a (b" = 'c') OR (c BETWEEN 1 AND 2) AND (d = ANY ('{1,2}'::integer[])))`;
    expect(layOut(odd, 20)).toContain(`' AND ( ''x'' '`);
    expect(squeezed(layOut(odd, 20))).toBe(squeezed(odd));
  });

  test('prints what it cannot take apart as it stands', () => {
    expect(layOut('(a = (b')).toBe('(a = (b');
    expect(layOut('a) = b')).toBe('a) = b');
  });
});
