import { describe, expect, it } from 'vitest';
import { groupsOf, withGroups } from './access';

describe('who may use a model', () => {
  const rules = { restricted: [{ model: 'Qwen3:latest', groups: ['g1'] }] };

  it('is everybody where no rule names it, in any spelling', () => {
    expect(groupsOf(rules, 'phi4')).toBeNull();
    expect(groupsOf(rules, 'qwen3')).toEqual(['g1']);
  });

  it('changes for one model alone', () => {
    const both = withGroups(rules, 'phi4', []);
    expect(both.restricted).toEqual([...rules.restricted, { model: 'phi4', groups: [] }]);
    expect(withGroups(both, 'QWEN3', null).restricted).toEqual([{ model: 'phi4', groups: [] }]);
    expect(withGroups(rules, 'qwen3', ['g2']).restricted).toEqual([{ model: 'qwen3', groups: ['g2'] }]);
  });
});
