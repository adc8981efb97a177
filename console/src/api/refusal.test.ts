import { VitalError } from '@vital-db/client';
import { describe, expect, test } from 'vitest';
import { FieldError, refusedFields } from './refusal';

describe('refusedFields', () => {
  test('names the parameter of a function', () => {
    expect(refusedFields(new VitalError({ code: 'invalid', message: 'p_slug must be lower-case.' }))).toEqual({ slug: 'Must be lower-case.' });
  });
  test('names every place of a document', () => {
    const errors = [{ path: '/limits/max_agents', message: 'must be at least 0' }, { path: '/limits/requests_per_second', message: 'must be an integer' }];
    expect(refusedFields(new VitalError({ code: 'invalid', message: 'Invalid.', errors }))).toEqual({ max_agents: 'Must be at least 0.', requests_per_second: 'Must be an integer.' });
  });
  test('names a field of the form itself', () => {
    expect(refusedFields(new FieldError('parent', 'There is none.'))).toEqual({ parent: 'There is none.' });
  });
  test('names none where the error is of no field', () => {
    for (const error of [new VitalError({ code: 'permission_denied', message: 'You may not.' }), new Error('p_slug must be'), null]) expect(refusedFields(error)).toEqual({});
  });
});
