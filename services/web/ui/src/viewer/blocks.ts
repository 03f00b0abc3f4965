/** A stretch of a passage's text: lines as they stand, or a table that the parser wrote with pipes. */
export type TextBlock =
  { kind: 'text'; text: string } | { kind: 'table'; header: string[] | null; rows: string[][] };

const isRow = (line: string) => /^\s*\|.*\|\s*$/.test(line);
const isRule = (line: string) => /^\s*\|(\s*:?-+:?\s*\|)+\s*$/.test(line);

/** The cells of a row; `\|` is a pipe within a cell. */
function cells(line: string): string[] {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|').replaceAll('<br>', ' '));
}

function table(lines: readonly string[]): TextBlock {
  const ruled = lines[1] !== undefined && isRule(lines[1]);
  const rows = lines.filter((line) => !isRule(line)).map(cells);
  return ruled
    ? { kind: 'table', header: rows[0] ?? null, rows: rows.slice(1) }
    : { kind: 'table', header: null, rows };
}

/** Cuts a passage's text into text and tables, in order. */
export function textBlocks(text: string): TextBlock[] {
  const blocks: TextBlock[] = [];
  let lines: string[] = [];
  let inTable = false;
  const flush = () => {
    if (inTable && lines.length > 0) blocks.push(table(lines));
    else if (lines.join('').trim() !== '')
      blocks.push({ kind: 'text', text: lines.join('\n').replace(/^\n+|\s+$/g, '') });
    lines = [];
  };
  for (const line of text.split('\n')) {
    if (isRow(line) !== inTable) {
      flush();
      inTable = isRow(line);
    }
    lines.push(line);
  }
  flush();
  return blocks;
}

/** A passage's text on one line, for where there is no room for tables. */
export function flatText(text: string): string {
  return textBlocks(text)
    .flatMap((block) =>
      block.kind === 'text'
        ? [block.text.replace(/^#{1,6} /gm, '')]
        : [...(block.header ? [block.header] : []), ...block.rows].map((row) =>
            row.filter(Boolean).join(' · '),
          ),
    )
    .join('\n');
}
