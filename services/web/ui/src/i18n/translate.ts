import { en } from './en';
import { zh } from './zh';
import type { Language } from '../state/preferences';

export type MessageKey = keyof typeof zh;
export type Values = Readonly<Record<string, string | number>>;

export const dictionaries: Record<Language, Record<MessageKey, string>> = { zh, en };
export const LOCALES: Record<Language, string> = { zh: 'zh-CN', en: 'en' };

const PLACEHOLDER = /\{(\w+)(?:\|([^{}|]*)\|([^{}|]*))?\}/g;

/**
 * The text of a key with its values filled in. `{n}` is a value; `{n|# file|# files}` chooses by the language's
 * plural rule and puts the number for `#`.
 */
export function translate(language: Language, key: MessageKey, values: Values = {}): string {
  const locale = LOCALES[language];
  // A key put together from what a newer server says may be unknown here: better its name than no page.
  return (dictionaries[language][key] ?? key).replace(
    PLACEHOLDER,
    (whole, name: string, one?: string, other?: string) => {
      const value = values[name];
      if (value === undefined) return whole;
      const text = typeof value === 'number' ? value.toLocaleString(locale) : value;
      if (one === undefined || other === undefined) return text;
      const form = new Intl.PluralRules(locale).select(Number(value)) === 'one' ? one : other;
      return form.replace('#', text);
    },
  );
}

export const isMessageKey = (key: string): key is MessageKey => Object.hasOwn(zh, key);

/** A failure in the reader's language: by its code where that is known, else as the server said it. */
export function errorText(language: Language, error: { code: string; message: string }): string {
  const key = `error.${error.code}`;
  if (isMessageKey(key)) return translate(language, key);
  return translate(language, 'failure.unknown', { message: error.message || error.code });
}
