/** A stretch of a passage's text: lines as they stand, or a table. */
export type TextBlock =
  { kind: 'text'; text: string } | { kind: 'table'; header: string[]; rows: string[][] };

/** `| --- | :-: |`, which Markdown puts under a table's header. */
const isRule = (line: string) => /^\s*\|?(\s*:?-{2,}:?\s*\|)+\s*:?-*:?\s*\|?\s*$/.test(line);

/** The cells of a row written with pipes, at its ends or not; `\|` is a pipe within a cell. `null` for other lines. */
function cellsOf(line: string): string[] | null {
  const inner = line.trim();
  const outer = inner.startsWith('|') && inner.endsWith('|') && inner.length > 1;
  if (!outer && !inner.includes(' | ')) return null;
  const cells = (outer ? inner.slice(1, -1) : inner).split(outer ? /(?<!\\)\|/ : /(?<!\\) \| /);
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|').replaceAll('<br>', ' '));
}

/** The rows from `start` on that have as many cells as the first: a table has two or more. */
function tableAt(lines: readonly string[], start: number): { rows: string[][]; lines: number } | null {
  const width = cellsOf(lines[start] ?? '')?.length ?? 0;
  const rows: string[][] = [];
  let at = start;
  for (; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (isRule(line)) continue;
    const cells = cellsOf(line);
    if (!cells || cells.length !== width) break;
    rows.push(cells);
  }
  return rows.length >= 2 ? { rows, lines: at - start } : null;
}

/** Cuts a passage's text into text and tables, in order. A table's first row is its header. */
export function textBlocks(text: string): TextBlock[] {
  const lines = text.split('\n');
  const blocks: TextBlock[] = [];
  let plain: string[] = [];
  const flush = () => {
    const joined = plain.join('\n').replace(/^\n+|\s+$/g, '');
    if (joined) blocks.push({ kind: 'text', text: joined });
    plain = [];
  };
  for (let at = 0; at < lines.length; at += 1) {
    const table = tableAt(lines, at);
    if (!table) {
      plain.push(lines[at] ?? '');
      continue;
    }
    flush();
    const [header = [], ...rows] = table.rows;
    blocks.push({ kind: 'table', header, rows });
    at += table.lines - 1;
  }
  flush();
  return blocks;
}

/** A passage's text for where there is no room for tables. */
export function flatText(text: string): string {
  return textBlocks(text)
    .flatMap((block) =>
      block.kind === 'text'
        ? [block.text.replace(/^#{1,6} /gm, '')]
        : [block.header, ...block.rows].map((row) => row.filter(Boolean).join(' · ')),
    )
    .join('\n');
}

const escapeCell = (cell: string) => cell.replaceAll('|', '\\|');

/** Text with its tables as Markdown tables, so that rows which a passage wrote with bare pipes become one. */
export function markdownTables(text: string): string {
  const blocks = textBlocks(text);
  if (blocks.every((block) => block.kind === 'text')) return text;
  return blocks
    .map((block) => {
      if (block.kind === 'text') return block.text;
      const row = (cells: string[]) => `| ${cells.map(escapeCell).join(' | ')} |`;
      const rule = row(block.header.map(() => '---'));
      return [row(block.header), rule, ...block.rows.map(row)].join('\n');
    })
    .join('\n\n');
}
