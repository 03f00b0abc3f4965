import { describe, expect, it } from 'vitest';
import { ApiError } from '../../api/errors';
import type { SearchRules, WordList } from '../../api/types';
import { changesOf, draftOf, linesOf, preferenceOf, problemsOf, refusedField, rulesOf } from './search-rules';

const list = (category: string, words: string[], fields: Partial<WordList> = {}): WordList => ({
  category,
  direction: 'both',
  action: 'drop',
  pinyin: false,
  words,
  ...fields,
});

const rules = (fields: Partial<SearchRules> = {}): SearchRules => ({
  allowed_groups: ['g1'],
  confirm_before_sending: true,
  send_whole_question: false,
  safe_search: 'strict',
  organisation_words: ['凌云计划', 'Acme, Inc.'],
  lists: [list('secret', ['并购'])],
  sites: { allow: [], block: ['spam.example'], prefer: [{ site: 'gov.cn', weight: 1.5 }] },
  ...fields,
});

describe('the form of the rules', () => {
  it('gives back the rules that it was made of', () => {
    expect(rulesOf(draftOf(rules()))).toEqual(rules());
  });

  it('takes what the server leaves out as its defaults', () => {
    expect(rulesOf(draftOf({}))).toMatchObject({ safe_search: 'moderate', lists: [], sites: { allow: [] } });
  });

  it('reads one entry a line, each once, with commas as a part of it', () => {
    expect(linesOf(' Acme, Inc. \r\n\n凌云\rAcme, Inc.\n')).toEqual(['Acme, Inc.', '凌云']);
    expect(linesOf(' \n')).toEqual([]);
  });

  it.each([
    ['gov.cn 1.5', { site: 'gov.cn', weight: 1.5 }],
    ['gov.cn，3', { site: 'gov.cn', weight: 3 }],
    ['gov.cn', { site: 'gov.cn', weight: 2 }],
    ['gov.cn much', { site: 'gov.cn', weight: NaN }],
  ])('reads the weight of %s', (line, preference) => {
    expect(preferenceOf(line)).toEqual(preference);
  });
});

describe('the problems of rules', () => {
  it('are none in rules that the server takes', () => {
    const allow = ['a.example', '*.b.example', 'https://c.example/path', '例子.cn', 'cn'];
    expect(problemsOf(rules({ sites: { allow, block: [], prefer: [] } }))).toEqual([]);
  });

  it.each<[string, Partial<SearchRules>, string, string]>([
    ['a long word', { organisation_words: ['词'.repeat(65)] }, 'organisation_words', 'rules.word_too_long'],
    ['a list without a name', { lists: [list('', ['a'])] }, 'category:0', 'rules.category_needed'],
    ['a long word of a list', { lists: [list('a', ['x'.repeat(65)])] }, 'words:0', 'rules.word_too_long'],
    [
      'too many lists',
      { lists: Array.from({ length: 51 }, (_, n) => list(`l${n}`, [])) },
      'lists',
      'rules.too_many_words',
    ],
    ['no site', { sites: { allow: ['two words'], block: [], prefer: [] } }, 'allow', 'rules.no_site'],
    [
      'a weight out of bounds',
      { sites: { allow: [], block: [], prefer: [{ site: 'a.example', weight: 11 }] } },
      'prefer',
      'rules.weight',
    ],
  ])('name the field: %s', (_, fields, field, key) => {
    expect(problemsOf(rules(fields))).toMatchObject([{ field, key }]);
  });
});

describe('a refusal of the server', () => {
  const refused = (message: string, code = 'invalid_request') =>
    refusedField(
      new ApiError(code, message, 400),
      rules({ lists: [list('a', ['b']), list('c', ['长长的词'])] }),
    );

  it.each([
    ['at most 20000 sites are taken', 'block'],
    ['the weight of a site is between 0 and 10', 'prefer'],
    ['each list needs a category of at most 40 characters', 'lists'],
    ['at most 50 lists and 200000 words are taken', 'lists'],
    ['`凌云…` has more than 64 characters', 'organisation_words'],
    ['`长长…` has more than 64 characters', 'words:1'],
  ])('%s', (message, field) => {
    expect(refused(message)).toEqual({ field, message });
  });

  it('speaks of no field where it speaks of something else', () => {
    expect(refused('the moon is full')).toBeNull();
    expect(refused('each list needs a category', 'forbidden')).toBeNull();
  });
});

describe('what saving would change', () => {
  it('is nothing when nothing was changed, whatever the server leaves out', () => {
    expect(changesOf(rules(), rulesOf(draftOf(rules())))).toEqual([]);
    expect(changesOf({} as SearchRules, rulesOf(draftOf({})))).toEqual([]);
  });

  it('counts words and sites that come and go', () => {
    const next = rules({
      confirm_before_sending: false,
      organisation_words: ['凌云计划', '猎鹰', 'Falcon'],
      lists: [list('secret', ['并购', '重组']), list('new', ['x'])],
      sites: { allow: [], block: [], prefer: [{ site: 'gov.cn', weight: 2 }] },
    });
    expect(changesOf(rules(), next)).toEqual([
      { label: 'rules.confirm' },
      { label: 'rules.organisation', added: 2, removed: 1 },
      { label: 'rules.change_list', name: 'secret', added: 1, removed: 0 },
      { label: 'rules.change_new_list', name: 'new', added: 1 },
      { label: 'rules.block', added: 0, removed: 1 },
      { label: 'rules.prefer', added: 1, removed: 1 },
    ]);
  });

  it('is also what a list does, its removal, and the order of lists', () => {
    const two = rules({ lists: [list('a', ['x']), list('b', ['y'])] });
    expect(changesOf(two, rules({ lists: [list('a', ['x'], { action: 'block' })] }))).toEqual([
      { label: 'rules.change_list', name: 'a' },
      { label: 'rules.change_no_list', name: 'b', removed: 1 },
    ]);
    expect(changesOf(two, rules({ lists: [list('b', ['y']), list('a', ['x'])] }))).toEqual([
      { label: 'rules.lists' },
    ]);
  });
});
