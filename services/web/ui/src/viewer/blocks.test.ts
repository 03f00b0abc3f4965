import { describe, expect, it } from 'vitest';
import { flatText, markdownTables, textBlocks } from './blocks';

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

  it('reads rows that have no pipes at their ends', () => {
    expect(textBlocks('工龄 | 年休假\n1 至 4 年 | 12 天\n其他')).toEqual([
      { kind: 'table', header: ['工龄', '年休假'], rows: [['1 至 4 年', '12 天']] },
      { kind: 'text', text: '其他' },
    ]);
  });

  it.each(['a | b', 'a|b\nc|d', 'a | b\nc | d | e', ''])('takes %j for text', (text) => {
    expect(textBlocks(text).every((block) => block.kind === 'text')).toBe(true);
  });
});

describe('flatText', () => {
  it('writes rows with dots', () => {
    expect(flatText(`## Leave\n${TABLE}`)).toBe('Leave\nYears · Days\n5 to 9 · 15\na|b');
  });
});

describe('markdownTables', () => {
  it('makes bare rows a Markdown table and leaves other text alone', () => {
    expect(markdownTables('x\n\na | b\nc | d[1]')).toBe('x\n\n| a | b |\n| --- | --- |\n| c | d[1] |');
    expect(markdownTables('  x\n\n- y | z\n')).toBe('  x\n\n- y | z\n');
  });
});
