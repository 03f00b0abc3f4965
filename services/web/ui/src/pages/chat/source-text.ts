import type { Source } from '../../api/types';
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

/** The address of a web source. A search engine chose it: what is not a page of the web is no link. */
export function webAddress(source: Pick<Source, 'url'>): URL | null {
  if (!source.url) return null;
  try {
    const address = new URL(source.url);
    return ['http:', 'https:'].includes(address.protocol) ? address : null;
  } catch {
    return null;
  }
}

/** The site of a web source, without what nobody says aloud; empty for a document. */
export function siteOf(source: Pick<Source, 'url'>): string {
  return webAddress(source)?.hostname.replace(/^www\./, '') ?? '';
}

/** What a source is called: a document by its name, a page by its title or else its site. */
export function sourceTitle(source: Source): string {
  return source.document_name ?? (source.title.trim() || siteOf(source));
}

/** Where in the world a source is: the pages of a document, the site of a web page. */
export function placeLabel(t: Translate, source: Source): string {
  return source.kind === 'web' ? siteOf(source) : pageLabel(t, source);
}

/** How good a hit was. Pages of the web are ranked by their engines, on a scale that says nothing here. */
export function scoreLabel(t: Translate, source: Source): string {
  return source.kind === 'web' ? '' : t('answer.score', { score: source.score.toFixed(2) });
}

/** What the rules of web search have flagged in a page; empty where that is nothing. */
export function flagLabel(t: Translate, { flags }: Source): string {
  return flags?.length ? t('answer.flagged', { what: flags.join(', ') }) : '';
}

/** A citation as it is read out. */
export function citationLabel(t: Translate, source: Source): string {
  const title = sourceTitle(source);
  return source.kind === 'web'
    ? t('answer.web_citation', { n: source.n, title, site: siteOf(source) })
    : t('answer.citation', { n: source.n, title });
}
