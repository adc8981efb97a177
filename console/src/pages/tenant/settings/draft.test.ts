import type { TenantConfiguration } from '@vital-db/client';
import { describe, expect, test } from 'vitest';
import { differences, draftOf, merged, patchOf, placed, unsayable } from './draft';

const configuration: TenantConfiguration = {
  ui_config: { theme: 'default', primary_color: '#4F46E5', logo_url: null, custom: { font: 'Inter', sizes: { small: 1, large: 2 } } },
  enabled_features: ['beta'], enabled_apps: ['chat'], enabled_agent_tiers: [3, 1],
  limits: { max_agents: 100 }, compliance_settings: { gdpr_enabled: true },
};
const base = draftOf(configuration);

describe('what a form makes of a configuration', () => {
  test('unchanged is no patch, whatever order the tiers came in', () => {
    expect(patchOf(base, draftOf({ ...configuration, enabled_agent_tiers: [1, 3] }))).toEqual({});
  });

  test('only what was changed is sent, and what was emptied is taken away', () => {
    expect(patchOf(base, { ...base, theme: '', max_agents: '', max_conversations: '5', hipaa_enabled: true, enabled_features: [] })).toEqual({
      ui_config: { theme: null }, limits: { max_agents: null, max_conversations: 5 }, compliance_settings: { hipaa_enabled: true }, enabled_features: [],
    });
  });

  test('a key that was deleted from a free object is taken away, and not merged back', () => {
    expect(patchOf(base, { ...base, ui_custom: '{"sizes": {"large": 3}}' })).toEqual({ ui_config: { custom: { font: null, sizes: { small: null, large: 3 } } } });
    expect(patchOf(base, { ...base, ui_custom: ' ' })).toEqual({ ui_config: { custom: null } });
  });

  test('a key is taken away, or set, whatever every object has by that name', () => {
    const odd = draftOf({ ...configuration, ui_config: { custom: JSON.parse('{"constructor": 1, "toString": {"a": 1}, "__proto__": {"b": 1}}') as { [key: string]: unknown } } });
    expect(JSON.stringify(patchOf(odd, { ...odd, ui_custom: '{"x": 1}' }))).toBe('{"ui_config":{"custom":{"constructor":null,"toString":null,"__proto__":null,"x":1}}}');
    expect(JSON.stringify(patchOf(base, { ...base, ui_custom: '{"font": "Inter", "sizes": {"small": 1, "large": 2}, "__proto__": {"c": 2}}' }))).toBe('{"ui_config":{"custom":{"font":"Inter","sizes":{"small":1,"large":2},"__proto__":{"c":2}}}}');
  });

  test('two who change different things both get theirs; of the same thing the one here stands', () => {
    const mine = { ...base, theme: 'calm', max_agents: '7' };
    const theirs = { ...base, gdpr_enabled: false, max_agents: '9' };
    const both = merged(base, mine, theirs);
    expect(both).toMatchObject({ theme: 'calm', max_agents: '7', gdpr_enabled: false });
    expect(differences(theirs, both)).toEqual(['theme', 'max_agents']);
  });

  test('what is no number or no JSON object is said here; a number that is wrong is the server\'s to say', () => {
    expect(Object.keys(unsayable({ ...base, max_agents: 'many', limits_custom: '[1]', ui_custom: '{' }))).toEqual(['max_agents', 'ui_custom', 'limits_custom']);
    expect(unsayable({ ...base, max_agents: '-1' })).toEqual({});
    expect(Object.keys(unsayable({ ...base, ui_custom: '{"a": {"b": null}}', limits_custom: '{"a": [null]}' }))).toEqual(['ui_custom']);
  });

  test('a fault is told at the field it is in, and one of no field by itself', () => {
    const { at, elsewhere } = placed([{ path: '/enabled_agent_tiers/0', message: 'must be at most 9' }, { path: '/limits/max_agents', message: 'must be at least 0' }, { path: '/limits/max_agentsx', message: 'is no field' }]);
    expect(at).toEqual({ enabled_agent_tiers: '0 must be at most 9', max_agents: 'must be at least 0' });
    expect(elsewhere).toEqual([{ path: '/limits/max_agentsx', message: 'is no field' }]);
  });
});
