/** Language and theme: kept in this browser, applied to the document's root. */

export type Language = 'zh' | 'en';
export type Theme = 'system' | 'light' | 'dark';

export interface Preferences {
  language: Language;
  theme: Theme;
}

const STORAGE_KEY = 'anwen.preferences';

/** Reads what was stored; what is missing or strange falls back to the browser's language and the system's theme. */
export function readPreferences(stored: string | null, browserLanguage: string): Preferences {
  const fallback: Preferences = { language: /^zh/i.test(browserLanguage) ? 'zh' : 'en', theme: 'system' };
  try {
    const value = JSON.parse(stored ?? '{}') as Partial<Preferences> | null;
    return {
      language: value?.language === 'zh' || value?.language === 'en' ? value.language : fallback.language,
      theme: value?.theme === 'light' || value?.theme === 'dark' ? value.theme : fallback.theme,
    };
  } catch {
    return fallback;
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}

function apply({ language, theme }: Preferences): void {
  const root = document.documentElement;
  root.lang = language === 'zh' ? 'zh-CN' : 'en';
  if (theme === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme;
}

class PreferencesStore {
  private value: Preferences | null = null;
  private listeners = new Set<() => void>();

  get = (): Preferences => (this.value ??= readPreferences(stored(), navigator.language));

  set = (change: Partial<Preferences>): void => {
    this.value = { ...this.get(), ...change };
    apply(this.value);
    try {
      localStorage.setItem(STORAGE_KEY, JSON.stringify(this.value));
    } catch {
      // Storage is blocked: the choice holds until the page is closed.
    }
    for (const listener of this.listeners) listener();
  };

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}

export const preferences = new PreferencesStore();
