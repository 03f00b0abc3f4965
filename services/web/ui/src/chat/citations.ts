import type { Citation } from '../api/types';

/** A run of answer text, or a citation of the source with this number. */
export type Piece = { kind: 'text'; text: string } | { kind: 'citation'; n: number };

/** `[1]`, and also the lists that models like to write: `[1, 2]`, `[1][2]`, `【3】`. */
const CITATION = /\[(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\]|【(\d{1,3})】/g;

/**
 * Cuts text at its citations. Only numbers in `known` become citations: `[2024]` in an answer about years, or a
 * number that no source carries, stays text.
 */
export function splitCitations(text: string, known: ReadonlySet<number>): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(CITATION)) {
    const numbers = (match[1] ?? match[2] ?? '').split(/[,，、]/).map((part) => Number(part.trim()));
    if (!numbers.every((n) => known.has(n))) continue;
    // The space before a citation belongs to no word; without it the chip sits on its sentence.
    const before = text.slice(from, match.index).replace(/ $/, '');
    if (before) pieces.push({ kind: 'text', text: before });
    for (const n of numbers) pieces.push({ kind: 'citation', n });
    from = match.index + match[0].length;
  }
  if (from < text.length) pieces.push({ kind: 'text', text: text.slice(from) });
  return pieces;
}

/** The numbers of the sources that a text cites. */
export function citedNumbers(text: string, known: ReadonlySet<number>): ReadonlySet<number> {
  const pieces = splitCitations(text, known);
  return new Set(pieces.flatMap((piece) => (piece.kind === 'citation' ? [piece.n] : [])));
}

/** Hides a citation that has only half arrived (`… [1`), so that it does not flicker as text. */
export function withoutHalfCitation(text: string): string {
  return text.replace(/(?:\[[\d\s,，、]{0,12}|【\d{0,3})$/, '');
}

const comparable = (text: string) =>
  text
    .replace(CITATION, '')
    .replace(/[*_`#>~|]/g, '')
    .replace(/\s+/g, '');

export interface Unsupported {
  sentence: string;
  n: number;
}

/** The sentences that no cited passage supports: a sentence with one supported citation is supported. */
export function unsupportedSentences(citations: readonly Citation[]): Unsupported[] {
  const supported = new Set(
    citations.filter((item) => item.supported).map((item) => comparable(item.sentence)),
  );
  const seen = new Set<string>();
  return citations.filter((item) => {
    const key = comparable(item.sentence);
    if (item.supported || supported.has(key) || seen.has(key) || key === '') return false;
    seen.add(key);
    return true;
  });
}

export interface MarkedRun {
  text: string;
  marked: boolean;
}

/**
 * Finds where `sentence` stands in `texts` (neighbouring text nodes of one paragraph), ignoring spaces, Markdown
 * signs and citations, and returns for each text the range that belongs to it.
 */
export function locateSentence(
  texts: readonly string[],
  sentence: string,
): ([number, number] | null)[] | null {
  const wanted = comparable(sentence);
  if (!wanted) return null;
  let flat = '';
  const origin: { text: number; offset: number }[] = [];
  texts.forEach((text, index) => {
    const cut = text.replace(CITATION, (found) => '\0'.repeat(found.length));
    for (let offset = 0; offset < cut.length; offset += 1) {
      const character = cut[offset] ?? '';
      if (character === '\0' || comparable(character) === '') continue;
      flat += character;
      origin.push({ text: index, offset });
    }
  });
  const at = flat.indexOf(wanted);
  if (at < 0) return null;
  const ranges: ([number, number] | null)[] = texts.map(() => null);
  for (const { text, offset } of origin.slice(at, at + wanted.length)) {
    const range = ranges[text];
    ranges[text] = range ? [range[0], offset + 1] : [offset, offset + 1];
  }
  return ranges;
}
