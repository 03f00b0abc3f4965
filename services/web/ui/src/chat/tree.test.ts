import { describe, expect, it } from 'vitest';
import { visiblePath } from './tree';

const node = (id: string, parent_id: string | null) => ({ id, parent_id });
const ids = (path: ReturnType<typeof visiblePath>) => path.map((step) => step.message.id);

describe('visiblePath', () => {
  const messages = [
    node('q1', null),
    node('a1', 'q1'),
    node('a1b', 'q1'),
    node('q2', 'a1'),
    node('a2', 'q2'),
  ];

  it('follows the newest branch unless another is chosen', () => {
    expect(ids(visiblePath(messages, new Map()))).toEqual(['q1', 'a1b']);
    expect(ids(visiblePath(messages, new Map([['q1', 'a1']])))).toEqual(['q1', 'a1', 'q2', 'a2']);
  });

  it('names the alternatives at each fork', () => {
    expect(visiblePath(messages, new Map())[1]?.siblings).toEqual(['a1', 'a1b']);
  });

  it('treats a message whose parent is unknown as a root, and ends on a loop', () => {
    expect(ids(visiblePath([node('x', 'gone')], new Map()))).toEqual(['x']);
    expect(ids(visiblePath([node('x', 'y'), node('y', 'x')], new Map()))).toEqual([]);
  });
});
