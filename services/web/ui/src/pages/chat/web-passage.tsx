import { ExternalLink } from 'lucide-react';
import type { Source } from '../../api/types';
import { useT } from '../../i18n/use';
import { PassageText } from '../../viewer/passage-text';
import { flagLabel, webAddress } from './source-text';

/** The passage of a source that is no document here, as a page of the web, and the way to that page. */
export function WebPassage({ source, sentences }: { source: Source; sentences: readonly string[] }) {
  const t = useT();
  const address = webAddress(source);
  return (
    <div className="web-passage">
      <blockquote className="panel-excerpt">
        <PassageText text={source.excerpt} evidence={sentences} />
      </blockquote>
      {source.kind === 'web' && <p className="web-passage-note">{t('answer.web_as_read')}</p>}
      {flagLabel(t, source) && <p className="web-passage-note">{flagLabel(t, source)}</p>}
      {address && (
        <a
          href={address.href}
          className="button button-plain button-normal"
          target="_blank"
          rel="noopener noreferrer"
        >
          <ExternalLink size={16} aria-hidden="true" /> {t('answer.open_page')}
          <span className="visually-hidden">{t('answer.new_tab')}</span>
        </a>
      )}
      {address && <p className="web-passage-address">{address.href}</p>}
    </div>
  );
}
