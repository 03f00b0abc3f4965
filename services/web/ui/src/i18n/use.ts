import { useCallback, useSyncExternalStore } from 'react';
import { preferences, type Preferences } from '../state/preferences';
import { errorText, LOCALES, translate, type MessageKey, type Values } from './translate';

export function usePreferences(): Preferences {
  return useSyncExternalStore(preferences.subscribe, preferences.get);
}

export type Translate = (key: MessageKey, values?: Values) => string;

export function useT(): Translate {
  const { language } = usePreferences();
  return useCallback((key, values) => translate(language, key, values), [language]);
}

export function useErrorText(): (error: { code: string; message: string }) => string {
  const { language } = usePreferences();
  return useCallback((error) => errorText(language, error), [language]);
}

/** Numbers, sizes and times in the reader's language. */
export function useFormat() {
  const { language } = usePreferences();
  const locale = LOCALES[language];
  return {
    number: (value: number) => value.toLocaleString(locale),
    date: (value: string) => new Date(value).toLocaleDateString(locale, { dateStyle: 'medium' }),
    time: (value: string) =>
      new Date(value).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' }),
    /** The time of a moment that is near. */
    clock: (value: string) => new Date(value).toLocaleTimeString(locale, { timeStyle: 'short' }),
    bytes: (value: number) => formatBytes(value, locale),
  };
}

const UNITS = ['B', 'KB', 'MB', 'GB'] as const;

export function formatBytes(bytes: number, locale: string): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toLocaleString(locale, { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 })} ${UNITS[unit]}`;
}
