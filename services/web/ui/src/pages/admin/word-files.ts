/** Files of words: plain text with one a line, and CSV as spreadsheets write it. */
import type { WordList } from '../../api/types';
import { ACTIONS, DIRECTIONS, linesOf } from './search-rules';

/**
 * The text of a file. Spreadsheets in Chinese still write GB 18030, and some programs UTF-16; what is no UTF-8 is
 * one of these.
 */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}

/** The rows of a CSV (RFC 4180), also with semicolons or tabs, as spreadsheets write where the comma is a decimal sign. */
export function parseCsv(text: string): string[][] {
  const firstLine = /^[^\r\n]*/.exec(text)?.[0] ?? '';
  const separator = [',', ';', '\t'].find((sign) => firstLine.includes(sign)) ?? ',';
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endCell = () => {
    row.push(cell.trim());
    cell = '';
  };
  const endRow = () => {
    endCell();
    if (row.some((value) => value !== '')) rows.push(row);
    row = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') {
        cell += sign;
        at += 1;
      } else quoted = false;
    } else if (sign === '"' && cell.trim() === '') {
      cell = '';
      quoted = true;
    } else if (sign === separator) endCell();
    else if (sign === '\n' || sign === '\r') endRow();
    else cell += sign;
  }
  endRow();
  return rows;
}

/** What heads a column of words in a file, and is no word itself. */
const HEADINGS = new Set([
  'word',
  'words',
  'term',
  '词',
  '词语',
  '敏感词',
  '关键词',
  'site',
  'domain',
  '网站',
]);

/** The words of a file: the first column of a CSV, or the lines of a text. */
export function wordsOfFile(name: string, text: string): string[] {
  if (!/\.csv$/i.test(name)) return linesOf(text);
  const [first = '', ...rest] = parseCsv(text).map((row) => row[0] ?? '');
  return linesOf((HEADINGS.has(first.toLowerCase()) ? rest : [first, ...rest]).join('\n'));
}

/** Entries added below a text, each once; `added` says how many are new. */
export function withWords(text: string, words: readonly string[]): { text: string; added: number } {
  const known = new Set(linesOf(text));
  const fresh = words.filter((word) => !known.has(word));
  if (fresh.length === 0) return { text, added: 0 };
  const before = text.trim() === '' ? '' : `${text.replace(/\s+$/, '')}\n`;
  return { text: before + fresh.join('\n'), added: fresh.length };
}

const COLUMNS = ['category', 'direction', 'action', 'pinyin', 'word'] as const;

const quote = (value: string) => (/[",;\t\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

/** All lists as one CSV, a row for each word. It begins with a mark by which spreadsheets know UTF-8. */
export function csvOfLists(lists: readonly WordList[]): string {
  const rows = lists.flatMap(({ category, direction, action, pinyin, words }) =>
    words.map((word) => [category, direction, action, String(pinyin ?? false), word]),
  );
  return `\uFEFF${[[...COLUMNS], ...rows].map((row) => row.map(quote).join(',')).join('\r\n')}\r\n`;
}

export interface ListsOfFile {
  lists: WordList[];
  /** Rows that could not be understood. */
  skipped: number;
}

/** The lists of a CSV as `csvOfLists` writes it; `null` where it has no columns for category and word. */
export function listsOfCsv(text: string): ListsOfFile | null {
  const [heading = [], ...rows] = parseCsv(text.replace(/^\uFEFF/, ''));
  const names = heading.map((name) => name.toLowerCase());
  const column = (row: readonly string[], name: (typeof COLUMNS)[number]) => row[names.indexOf(name)] ?? '';
  if (!names.includes('category') || !names.includes('word')) return null;
  const lists = new Map<string, WordList>();
  let skipped = 0;
  for (const row of rows) {
    const category = column(row, 'category');
    const word = column(row, 'word');
    const direction = DIRECTIONS.find((value) => value === (column(row, 'direction') || 'both'));
    const action = ACTIONS.find((value) => value === (column(row, 'action') || 'drop'));
    if (!category || !word || !direction || !action) {
      skipped += 1;
      continue;
    }
    // Rows of one category that say different things about it are different lists.
    const pinyin = /^(true|1|yes|是)$/i.test(column(row, 'pinyin'));
    const id = JSON.stringify([category, direction, action, pinyin]);
    const list = lists.get(id) ?? { category, direction, action, pinyin, words: [] };
    list.words.push(word);
    lists.set(id, list);
  }
  return {
    lists: [...lists.values()].map((list) => ({ ...list, words: [...new Set(list.words)] })),
    skipped,
  };
}
