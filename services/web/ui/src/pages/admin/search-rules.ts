/** The rules of web search as a form edits them: texts with one entry a line, and what is wrong with them. */
import { ApiError } from '../../api/errors';
import type { SearchRules, SitePreference, WordList } from '../../api/types';
import type { MessageKey, Values } from '../../i18n/translate';

export const DIRECTIONS = [
  'outgoing',
  'incoming',
  'both',
] as const satisfies readonly WordList['direction'][];
export const ACTIONS = ['block', 'drop', 'mask', 'flag'] as const satisfies readonly WordList['action'][];
export const SAFE_SEARCH_LEVELS = ['off', 'moderate', 'strict'] as const;

/** The bounds that the server sets. */
export const MAX_LISTS = 50;
export const MAX_CATEGORY_CHARS = 40;
const MAX_WORDS = 200_000;
const MAX_WORD_CHARS = 64;
const MAX_SITES = 20_000;
const MAX_WEIGHT = 10;

export interface ListDraft {
  /** Tells lists apart while their names change. */
  key: number;
  category: string;
  direction: WordList['direction'];
  action: WordList['action'];
  pinyin: boolean;
  words: string;
}

export interface RulesDraft {
  allowedGroups: readonly string[];
  confirms: boolean;
  sendsWhole: boolean;
  safeSearch: (typeof SAFE_SEARCH_LEVELS)[number];
  organisationWords: string;
  lists: readonly ListDraft[];
  allow: string;
  block: string;
  prefer: string;
}

/** The entries of a text: one a line, each once. */
export function linesOf(text: string): string[] {
  return [...new Set(text.split(/\r\n?|\n/).map((line) => line.trim()))].filter((line) => line !== '');
}

const textOf = (lines: readonly string[] | undefined) => (lines ?? []).join('\n');

export const draftOfList = (list: WordList, key: number): ListDraft => ({
  key,
  category: list.category,
  direction: list.direction,
  action: list.action,
  pinyin: list.pinyin ?? false,
  words: textOf(list.words),
});

export function draftOf(rules: Partial<SearchRules>): RulesDraft {
  return {
    allowedGroups: rules.allowed_groups ?? [],
    confirms: rules.confirm_before_sending ?? false,
    sendsWhole: rules.send_whole_question ?? false,
    safeSearch: rules.safe_search ?? 'moderate',
    organisationWords: textOf(rules.organisation_words),
    lists: (rules.lists ?? []).map(draftOfList),
    allow: textOf(rules.sites?.allow),
    block: textOf(rules.sites?.block),
    prefer: textOf(rules.sites?.prefer?.map(({ site, weight }) => `${site} ${weight}`)),
  };
}

/** A site and its weight on one line: `site.example 2`; without a number it counts twice. */
export function preferenceOf(line: string): SitePreference {
  const [, site = line, weight = '2'] = /^(\S+)[\s,，]+(\S+)$/.exec(line) ?? [];
  return { site, weight: Number(weight) };
}

export const listOf = (draft: ListDraft): WordList => ({
  category: draft.category.trim(),
  direction: draft.direction,
  action: draft.action,
  pinyin: draft.pinyin,
  words: linesOf(draft.words),
});

export function rulesOf(draft: RulesDraft): SearchRules {
  return {
    allowed_groups: [...draft.allowedGroups],
    confirm_before_sending: draft.confirms,
    send_whole_question: draft.sendsWhole,
    safe_search: draft.safeSearch,
    organisation_words: linesOf(draft.organisationWords),
    lists: draft.lists.map(listOf),
    sites: {
      allow: linesOf(draft.allow),
      block: linesOf(draft.block),
      prefer: linesOf(draft.prefer).map(preferenceOf),
    },
  };
}

/** Where in the form something is wrong. A list is told by its place. */
export type Field =
  'organisation_words' | 'lists' | 'allow' | 'block' | 'prefer' | `category:${number}` | `words:${number}`;

export interface Problem {
  field: Field;
  /** A text of ours, or the server's own words. */
  key?: MessageKey;
  values?: Values;
  message?: string;
}

/** Whether a line names a site. One that does not would be in the list and do nothing. */
function isSite(line: string): boolean {
  const name = line.replace(/^[a-z]+:\/\//i, '').replace(/^\*?\./, '');
  if (/[\s@,，]/.test(name)) return false;
  try {
    return new URL(`http://${name}`).hostname !== '';
  } catch {
    return false;
  }
}

const tooLong = (words: readonly string[]) => words.find((word) => [...word].length > MAX_WORD_CHARS);

function problemOfWords(field: Field, words: readonly string[]): Problem[] {
  const word = tooLong(words);
  if (word === undefined) return [];
  const start = `${[...word].slice(0, 16).join('')}…`;
  return [{ field, key: 'rules.word_too_long', values: { word: start, n: MAX_WORD_CHARS } }];
}

function problemOfSites(field: Field, sites: readonly string[]): Problem[] {
  const wrong = sites.find((site) => !isSite(site));
  return wrong === undefined ? [] : [{ field, key: 'rules.no_site', values: { site: wrong } }];
}

function problemOfCategory(list: WordList, index: number): Problem[] {
  const length = [...list.category].length;
  if (length > 0 && length <= MAX_CATEGORY_CHARS) return [];
  return [{ field: `category:${index}`, key: 'rules.category_needed', values: { n: MAX_CATEGORY_CHARS } }];
}

/** What the server would refuse, and what it would take and never apply, said before anything is sent. */
export function problemsOf(rules: SearchRules): Problem[] {
  const { allow = [], block = [], prefer = [] } = rules.sites ?? {};
  const words = rules.lists.reduce((sum, list) => sum + list.words.length, rules.organisation_words.length);
  const weightless = prefer.find(({ weight }) => !(weight >= 0 && weight <= MAX_WEIGHT));
  return [
    ...problemOfWords('organisation_words', rules.organisation_words),
    ...rules.lists.flatMap((list, index) => [
      ...problemOfCategory(list, index),
      ...problemOfWords(`words:${index}`, list.words),
    ]),
    ...(rules.lists.length > MAX_LISTS || words > MAX_WORDS
      ? [{ field: 'lists', key: 'rules.too_many_words', values: { lists: MAX_LISTS, n: MAX_WORDS } } as const]
      : []),
    ...problemOfSites('allow', allow),
    ...problemOfSites('block', block),
    ...problemOfSites(
      'prefer',
      prefer.map(({ site }) => site),
    ),
    ...(weightless
      ? [{ field: 'prefer', key: 'rules.weight', values: { site: weightless.site, n: MAX_WEIGHT } } as const]
      : []),
    ...(allow.length + block.length + prefer.length > MAX_SITES
      ? [{ field: 'block', key: 'rules.too_many_sites', values: { n: MAX_SITES } } as const]
      : []),
  ];
}

/** Words of the server's refusals, and the field that each speaks of. */
const REFUSALS: readonly [RegExp, Field][] = [
  [/weight of a site/, 'prefer'],
  [/sites are taken/, 'block'],
  [/category/, 'lists'],
  [/lists and .* words/, 'lists'],
];

/** The field that a refusal of the server speaks of; `null` where it speaks of none. */
export function refusedField(cause: unknown, rules: SearchRules): Problem | null {
  const { code, message } = ApiError.of(cause);
  if (code !== 'invalid_request') return null;
  const start = /^`(.+)…`/.exec(message)?.[1];
  if (start !== undefined) {
    const has = (words: readonly string[]) => words.some((word) => word.startsWith(start));
    if (has(rules.organisation_words)) return { field: 'organisation_words', message };
    const index = rules.lists.findIndex((list) => has(list.words));
    if (index >= 0) return { field: `words:${index}`, message };
  }
  const field = REFUSALS.find(([words]) => words.test(message))?.[1];
  return field ? { field, message } : null;
}

/** What saving would change: a setting, or a collection with how much of it comes and goes. */
export interface Change {
  label: MessageKey;
  /** The list of words that it is about. */
  name?: string;
  added?: number;
  removed?: number;
}

function counted(label: MessageKey, before: readonly string[], after: readonly string[]): Change[] {
  const [had, has] = [new Set(before), new Set(after)];
  const added = after.filter((item) => !had.has(item)).length;
  const removed = before.filter((item) => !has.has(item)).length;
  return added + removed === 0 ? [] : [{ label, added, removed }];
}

function changesOfLists(before: readonly WordList[], after: readonly WordList[]): Change[] {
  const settings = ({ direction, action, pinyin }: WordList) => [direction, action, pinyin ?? false].join();
  const changes = after.flatMap((list): Change[] => {
    const old = before.find((other) => other.category === list.category);
    if (!old) return [{ label: 'rules.change_new_list', name: list.category, added: list.words.length }];
    const words = counted('rules.change_list', old.words, list.words);
    const changed = words.length > 0 ? words : settings(old) === settings(list) ? [] : [{}];
    return changed.map((counts) => ({ ...counts, label: 'rules.change_list', name: list.category }));
  });
  const gone = before.filter((old) => !after.some((list) => list.category === old.category));
  return [
    ...changes,
    ...gone.map((old): Change => ({
      label: 'rules.change_no_list',
      name: old.category,
      removed: old.words.length,
    })),
  ];
}

export function changesOf(saved: SearchRules, next: SearchRules): Change[] {
  // Both in the form's own shape, so that what the server leaves out or orders otherwise is no change.
  const before = rulesOf(draftOf(saved));
  const set = (label: MessageKey, changed: boolean): Change[] => (changed ? [{ label }] : []);
  const preferences = (rules: SearchRules) =>
    (rules.sites?.prefer ?? []).map(({ site, weight }) => `${site} ${weight}`);
  const changes = [
    ...set('rules.confirm', before.confirm_before_sending !== next.confirm_before_sending),
    ...set('rules.whole', before.send_whole_question !== next.send_whole_question),
    ...set('rules.safe', before.safe_search !== next.safe_search),
    ...counted('rules.groups', before.allowed_groups, next.allowed_groups),
    ...counted('rules.organisation', before.organisation_words, next.organisation_words),
    ...changesOfLists(before.lists, next.lists),
    ...counted('rules.allow', before.sites?.allow ?? [], next.sites?.allow ?? []),
    ...counted('rules.block', before.sites?.block ?? [], next.sites?.block ?? []),
    ...counted('rules.prefer', preferences(before), preferences(next)),
  ];
  if (changes.length > 0 || JSON.stringify(before) === JSON.stringify(next)) return changes;
  // The order of lists, or two of one name: small, but not nothing.
  return [{ label: 'rules.lists' }];
}
