import { describe, expect, it } from 'vitest';
import { flatText, textBlocks } from './blocks';

const TABLE = '| Years | Days |\n| --- | :-: |\n| 5 to 9 | 15 |\n| a\\|b |  |';

describe('textBlocks', () => {
  it('keeps text and tables in order', () => {
    expect(textBlocks(`Leave:\n\n${TABLE}\nUnused days lapse.\n`)).toEqual([
      { kind: 'text', text: 'Leave:' },
      {
        kind: 'table',
        header: ['Years', 'Days'],
        rows: [
          ['5 to 9', '15'],
          ['a|b', ''],
        ],
      },
      { kind: 'text', text: 'Unused days lapse.' },
    ]);
  });

  it('reads a table that was cut off from its header', () => {
    expect(textBlocks('| 5 | 15 |\n| 6 | 16 |')).toEqual([
      {
        kind: 'table',
        header: null,
        rows: [
          ['5', '15'],
          ['6', '16'],
        ],
      },
    ]);
  });

  it('takes a lone pipe for text', () => {
    expect(textBlocks('a | b')).toEqual([{ kind: 'text', text: 'a | b' }]);
    expect(textBlocks('')).toEqual([]);
  });
});

describe('flatText', () => {
  it('writes rows with dots', () => {
    expect(flatText(`## Leave\n${TABLE}`)).toBe('Leave\nYears · Days\n5 to 9 · 15\na|b');
  });
});
