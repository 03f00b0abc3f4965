import type { Translate } from '../../i18n/use';

interface Paged {
  page_start?: number | null | undefined;
  page_end?: number | null | undefined;
}

/** "Page 3", "Pages 3–4", or nothing for a format without pages. */
export function pageLabel(t: Translate, { page_start: from, page_end: to }: Paged): string {
  if (from == null) return '';
  if (to == null || to === from) return t('answer.page', { n: from });
  return t('answer.pages', { from, to });
}
