import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dictionaries, errorText, isMessageKey, translate, type MessageKey } from './translate';

const keys = Object.keys(dictionaries.zh) as MessageKey[];
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)/g)].map((match) => match[1]).sort();

/** Every source file of the pages, so that keys in use can be found. */
function sources(folder: URL): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return sources(new URL(`${entry.name}/`, folder));
    if (!/\.tsx?$/.test(entry.name) || /^(zh|en)\.ts$|\.test\.ts$/.test(entry.name)) return [];
    return [readFileSync(new URL(entry.name, folder), 'utf8')];
  });
}

describe('the dictionaries', () => {
  it('have the same keys', () => {
    expect(Object.keys(dictionaries.en).sort()).toEqual([...keys].sort());
  });

  it.each(keys)('%s is not empty and takes the same values', (key) => {
    expect(dictionaries.zh[key].trim()).not.toBe('');
    expect(dictionaries.en[key].trim()).not.toBe('');
    expect(placeholders(dictionaries.en[key])).toEqual(placeholders(dictionaries.zh[key]));
  });

  it('have a sentence for every public error code', () => {
    const table = readFileSync(
      new URL('../../../../../crates/contract/src/error.rs', import.meta.url),
      'utf8',
    );
    const codes = [...table.matchAll(/^ {4}\w+ = "([a-z_]+)", \d{3};$/gm)].map((match) => match[1]);
    expect(codes.length).toBeGreaterThan(40);
    expect(codes.filter((code) => !isMessageKey(`error.${code}`))).toEqual([]);
  });

  it('suggest questions that belong to the sample documents', () => {
    const file = readFileSync(new URL('../../../../../samples/questions.jsonl', import.meta.url), 'utf8');
    const known = new Set(
      file
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { question: string }).question),
    );
    const suggested = keys
      .filter((key) => key.startsWith('samples.'))
      .flatMap((key) => [dictionaries.zh[key], dictionaries.en[key]]);
    expect(suggested.filter((question) => !known.has(question))).toEqual([]);
  });

  it('hold no key that nothing uses', () => {
    const text = sources(new URL('../', import.meta.url)).join('\n');
    const unused = keys.filter((key) => {
      // Some keys are put together in the code: `role.${…}`, `profile.scope_${…}`.
      const family = /^[a-z]+\.(?:[a-z]+_(?=[a-z]+$))?/.exec(key)?.[0] ?? key;
      const domain = key.slice(0, key.indexOf('.') + 1);
      return ![`'${key}'`, `\`${family}\${`, `\`${domain}\${`].some((use) => text.includes(use));
    });
    expect(unused).toEqual([]);
  });
});

describe('translate', () => {
  it('fills in values and chooses the plural', () => {
    expect(translate('en', 'library.documents', { n: 1 })).toBe('1 document');
    expect(translate('en', 'library.documents', { n: 1200 })).toBe('1,200 documents');
    expect(translate('zh', 'library.documents', { n: 3 })).toBe('3 份文档');
  });
});

describe('errorText', () => {
  it('maps known codes and shows the message of others', () => {
    expect(errorText('zh', { code: 'encrypted', message: 'x' })).toContain('密码');
    expect(errorText('en', { code: 'brand_new', message: 'the moon is full' })).toContain('the moon is full');
  });
});
