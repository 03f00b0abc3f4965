import type { Root } from 'mdast';
import { describe, expect, it } from 'vitest';
import { markAnswer } from './mark-answer';

const text = (value: string) => ({ type: 'text' as const, value });

/** The tree in a few letters: `cite` as `<1>`, `mark` as `{…}`. */
function show(node: unknown): string {
  const { type, value, children, data } = node as {
    type: string;
    value?: string;
    children?: unknown[];
    data?: { hName?: string; hProperties?: Record<string, string> };
  };
  const inner = value ?? (children ?? []).map(show).join('');
  if (data?.hName === 'cite') return `<${data.hProperties?.['data-n']}>`;
  if (data?.hName === 'mark') return `{${inner}}`;
  return type === 'strong' ? `*${inner}*` : inner;
}

function mark(tree: Root, sentences: string[] = []): string {
  markAnswer({ known: new Set([1, 2]), unsupported: sentences.map((sentence) => ({ sentence, n: 1 })) })(
    tree,
  );
  return show(tree);
}

describe('markAnswer', () => {
  it('turns citations into elements wherever text stands', () => {
    const tree: Root = {
      type: 'root',
      children: [
        {
          type: 'paragraph',
          children: [text('a [1] '), { type: 'strong', children: [text('b[2]')] }, text(' [7]')],
        },
      ],
    };
    expect(mark(tree)).toBe('a<1> *b<2>* [7]');
  });

  it('marks an unsupported sentence across formatting and leaves its neighbours', () => {
    const tree: Root = {
      type: 'root',
      children: [
        {
          type: 'list',
          children: [
            {
              type: 'listItem',
              children: [
                {
                  type: 'paragraph',
                  children: [
                    text('Good. Wrong '),
                    { type: 'strong', children: [text('here')] },
                    text(' [1]. End.'),
                  ],
                },
              ],
            },
          ],
        },
      ],
    };
    expect(mark(tree, ['Wrong here [1].'])).toBe('Good. {Wrong} *{here}*<1>{.} End.');
  });

  it('leaves code alone', () => {
    const tree: Root = {
      type: 'root',
      children: [
        { type: 'paragraph', children: [{ type: 'inlineCode', value: 'x[1]' }] },
        { type: 'code', value: 'y[1]' },
      ],
    };
    expect(mark(tree)).toBe('x[1]y[1]');
  });
});
