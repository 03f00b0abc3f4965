import { describe, expect, it } from 'vitest';
import type { Source } from '../../api/types';
import { translate, type MessageKey, type Values } from '../../i18n/translate';
import {
  citationLabel,
  flagLabel,
  placeLabel,
  scoreLabel,
  siteOf,
  sourceTitle,
  webAddress,
} from './source-text';

const t = (key: MessageKey, values?: Values) => translate('en', key, values);
const source = (fields: Partial<Source>): Source => ({
  n: 2,
  kind: 'web',
  title: 'Pump seals',
  excerpt: 'Seals last two years.',
  score: 0.2,
  url: 'https://www.pumps.example/seals?x=1',
  ...fields,
});

describe('the words for a source', () => {
  it('are title and site for a page of the web', () => {
    expect(placeLabel(t, source({}))).toBe('pumps.example');
    expect(scoreLabel(t, source({}))).toBe('');
    expect(citationLabel(t, source({}))).toBe('Citation 2, web page: Pump seals, pumps.example');
    expect(sourceTitle(source({ title: ' ' }))).toBe('pumps.example');
  });

  it('say what the rules have flagged', () => {
    expect(flagLabel(t, source({}))).toBe('');
    expect(flagLabel(t, source({ flags: ['gambling', 'rumours'] }))).toBe(
      'Flagged by the rules of this server: gambling, rumours',
    );
  });

  it('are name and pages for a document', () => {
    const document = source({ kind: 'document', document_name: 'Handbook.pdf', url: null, page_start: 3 });
    expect([sourceTitle(document), placeLabel(t, document), scoreLabel(t, document)]).toEqual([
      'Handbook.pdf',
      'Page 3',
      'Relevance 0.20',
    ]);
    expect(citationLabel(t, document)).toBe('Citation 2: Handbook.pdf');
  });

  it.each(['javascript:alert(1)', 'data:text/html,x', 'file:///etc/hosts', 'not an address', '', null])(
    'link to no page at %s',
    (url) => {
      expect(webAddress(source({ url }))).toBeNull();
      expect(siteOf(source({ url }))).toBe('');
    },
  );
});
