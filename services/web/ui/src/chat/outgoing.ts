/**
 * What leaves for a web search, and the asker's word on it. The server rewrites a question before it is sent to search
 * engines; where its rules say so, a person looks at the result first.
 */
import type { Outgoing } from '../api/types';

/** The most characters of a question that are searched for: the server takes no more. */
export const MAX_QUERY_CHARS = 512;
/** How often the rules are applied again until they leave a query as it is. Each turn can only shorten it. */
const MAX_TURNS = 4;

/** What a question says about the web when it is asked. */
export interface WebChoice {
  web_search: boolean;
  /** The query that the asker has agreed to. */
  web_query?: string;
}

export interface Proposal {
  query: string;
  /** Places that were taken out: personal data, secrets, words that do not leave. */
  redactions: number;
  /** Nothing may be sent, or nothing of it is left. */
  blocked: boolean;
  needsConfirmation: boolean;
}

type Ask = (query: string) => Promise<Outgoing>;

const cut = (text: string) => [...text].slice(0, MAX_QUERY_CHARS).join('').trim();

/** What the rules make of a text. They are applied until nothing changes, so that what is shown is what is sent. */
export async function proposalFor(text: string, ask: Ask): Promise<Proposal> {
  let query = cut(text);
  let redactions = 0;
  let answer: Outgoing | null = null;
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    answer = await ask(query);
    redactions += answer.redactions;
    if (answer.blocked || answer.query === query) break;
    query = answer.query;
  }
  return {
    query: answer?.query ?? query,
    redactions,
    blocked: answer?.blocked ?? false,
    needsConfirmation: answer?.needs_confirmation ?? false,
  };
}

/** The width of letters and the number of spaces are the server's to change: they say nothing else. */
const plain = (text: string) => text.normalize('NFKC').replace(/\s+/g, ' ').trim();

export type Confirmation = { question: string; draft: string } & (
  | { state: 'checking' }
  | { state: 'asking'; proposal: Proposal; corrected: boolean }
  | { state: 'failed'; error: unknown }
);

/** One question on its way to be confirmed; `null` while there is none. */
export class OutgoingConfirmation {
  private value: Confirmation | null = null;
  private listeners = new Set<() => void>();
  /** Counts what was begun or given up, so that a late answer of the server to an earlier one is dropped. */
  private turn = 0;

  constructor(private readonly ask: Ask) {}

  snapshot = (): Confirmation | null => this.value;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Finds out what would leave. Resolves with the choice where no person is asked, else with `null`. */
  begin(question: string): Promise<WebChoice | null> {
    return this.check(question, question, 'question');
  }

  edit(draft: string): void {
    if (this.value?.state === 'asking') this.set({ ...this.value, draft });
  }

  /**
   * Agrees to the query as it was edited. What the rules would change in it is shown once more instead, and then the
   * answer is `null`.
   */
  confirm(): Promise<WebChoice | null> {
    const value = this.value;
    if (value?.state === 'failed') return this.check(value.question, value.draft, 'question');
    if (value?.state !== 'asking' || value.draft.trim() === '') return Promise.resolve(null);
    // What was just shown is known to stay as it is.
    if (!value.proposal.blocked && plain(value.draft) === plain(value.proposal.query)) {
      this.cancel();
      return Promise.resolve({ web_search: true, web_query: value.proposal.query });
    }
    return this.check(value.question, value.draft, 'edited');
  }

  withoutWeb(): WebChoice {
    this.cancel();
    return { web_search: false };
  }

  cancel(): void {
    this.turn += 1;
    this.set(null);
  }

  private async check(
    question: string,
    draft: string,
    origin: 'question' | 'edited',
  ): Promise<WebChoice | null> {
    this.turn += 1;
    const turn = this.turn;
    this.set({ state: 'checking', question, draft });
    try {
      const proposal = await proposalFor(draft, this.ask);
      if (turn !== this.turn) return null;
      const same = !proposal.blocked && plain(proposal.query) === plain(draft);
      if (!proposal.needsConfirmation || (origin === 'edited' && same)) {
        this.cancel();
        return proposal.needsConfirmation
          ? { web_search: true, web_query: proposal.query }
          : { web_search: true };
      }
      // A refused text stays, so that it can be mended; otherwise the rules' version takes its place.
      const shown = proposal.blocked && origin === 'edited' ? draft : proposal.query;
      this.set({ state: 'asking', question, draft: shown, proposal, corrected: origin === 'edited' });
    } catch (error) {
      if (turn === this.turn) this.set({ state: 'failed', question, draft, error });
    }
    return null;
  }

  private set(value: Confirmation | null): void {
    this.value = value;
    for (const listener of this.listeners) listener();
  }
}

export interface SentRun {
  text: string;
  sent: boolean;
}

/** A character of Chinese or a word of letters and digits; what stands between them is a token of its own. */
const TOKEN = /\p{Script=Han}|[\p{L}\p{N}](?:[\p{L}\p{N}._@+-]*[\p{L}\p{N}])?|\s+|./gsu;
const SAYS_SOMETHING = /[\p{L}\p{N}]/u;

interface Token {
  text: string;
  key: string;
}

// `Han` is among the letters: a word of Latin letters must end where a Chinese character begins.
function tokens(text: string): Token[] {
  const parts = text
    .replace(/(\p{Script=Han})/gu, '\0$1\0')
    .split('\0')
    .flatMap((part) => part.match(TOKEN) ?? []);
  return parts.map((part) => ({ text: part, key: part.normalize('NFKC').toLowerCase() }));
}

/** Which of `wanted` stand in `sent`, in the same order: the longest common subsequence. */
function commonSubsequence(wanted: readonly Token[], sent: readonly Token[]): boolean[] {
  const width = sent.length + 1;
  const lengths = new Uint16Array((wanted.length + 1) * width);
  const at = (row: number, column: number) => lengths[row * width + column] ?? 0;
  for (let row = wanted.length - 1; row >= 0; row -= 1) {
    for (let column = sent.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] =
        wanted[row]?.key === sent[column]?.key
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const common = wanted.map(() => false);
  for (let row = 0, column = 0; row < wanted.length && column < sent.length;) {
    if (wanted[row]?.key === sent[column]?.key) {
      common[row] = true;
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) row += 1;
    else column += 1;
  }
  return common;
}

/** The question cut into what is in the query and what does not leave. */
export function sentRuns(question: string, query: string): SentRun[] {
  const all = tokens(cut(question));
  const speaking = all.filter((token) => SAYS_SOMETHING.test(token.text));
  const sent = tokens(query).filter((token) => SAYS_SOMETHING.test(token.text));
  const common = commonSubsequence(speaking, sent);
  const runs: SentRun[] = [];
  let next = 0;
  for (const token of all) {
    const last = runs.at(-1);
    // Signs and spaces say nothing: they go with what stands before them.
    const isSent = SAYS_SOMETHING.test(token.text) ? (common[next++] ?? false) : (last?.sent ?? true);
    if (last && last.sent === isSent) last.text += token.text;
    else runs.push({ text: token.text, sent: isSent });
  }
  return runs;
}
