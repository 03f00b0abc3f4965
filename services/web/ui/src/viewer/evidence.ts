import { locateSentence } from '../chat/citations';

/** Letters and digits alone: how a sentence and the passage that it quotes are compared. */
const bare = (text: string) => text.replace(/[\s|·*_`#]+/g, '');

/** Whether one of the sentences quotes this row of a table. */
export function quotesRow(row: readonly string[], sentences: readonly string[]): boolean {
  const wanted = bare(row.join(''));
  return wanted !== '' && sentences.some((sentence) => bare(sentence).includes(wanted));
}

export interface EvidenceRun {
  text: string;
  evidence: boolean;
}

/** A text cut into what the sentences quote and what they do not. */
export function evidenceRuns(text: string, sentences: readonly string[]): EvidenceRun[] {
  const ranges = sentences
    .map((sentence) => locateSentence([text], sentence)?.[0] ?? null)
    .filter((range) => range !== null)
    .sort((a, b) => a[0] - b[0]);
  const runs: EvidenceRun[] = [];
  let from = 0;
  for (const [start, end] of ranges) {
    if (start < from) continue;
    if (start > from) runs.push({ text: text.slice(from, start), evidence: false });
    runs.push({ text: text.slice(start, end), evidence: true });
    from = end;
  }
  if (from < text.length) runs.push({ text: text.slice(from), evidence: false });
  return runs;
}
