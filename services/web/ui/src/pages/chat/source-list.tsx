import { useState } from 'react';
import { citedNumbers } from '../../chat/citations';
import { FileText, Globe } from 'lucide-react';
import type { Message } from '../../chat/conversation';
import type { Source } from '../../api/types';
import { useFormat, useT } from '../../i18n/use';
import { flagLabel, placeLabel, scoreLabel, sourceTitle } from './source-text';
import { flatText } from '../../viewer/blocks';

/** Passages shown at first where nothing was found. */
const MAX_NEAREST = 3;

/** What an answer could draw on: the sources that it cites, and when it found nothing, the nearest passages. */
export function SourceList({
  message,
  expanded,
  active,
  onOpen,
}: {
  message: Message;
  /** Whether each source shows its passage. */
  expanded: boolean;
  active: number | null;
  onOpen: (n: number) => void;
}) {
  const t = useT();
  const [all, setAll] = useState(false);
  const cited = citedNumbers(message.content, new Set(message.sources.map((source) => source.n)));
  const first = expanded
    ? message.sources.slice(0, MAX_NEAREST)
    : message.sources.filter((source) => cited.has(source.n));
  const others = message.sources.length - first.length;
  const foldable = first.length > 0 && others > 0;
  const shown = foldable && !all ? first : message.sources;
  const more = expanded ? t('answer.more_nearest', { n: others }) : t('answer.more_sources', { n: others });
  const foldLabel = all ? t('answer.fewer_sources') : more;
  return (
    <section className="sources" aria-label={expanded ? t('answer.nearest') : t('answer.sources')}>
      <h3>
        {expanded ? t('answer.nearest') : t('answer.sources_count', { n: shown.length })}
        {message.droppedSources > 0 && <small>{t('answer.dropped', { n: message.droppedSources })}</small>}
      </h3>
      <ol className={expanded ? 'source-rows' : 'source-cards'}>
        {shown.map((source) => (
          <li key={source.n}>
            <SourceCard source={source} expanded={expanded} active={source.n === active} onOpen={onOpen} />
          </li>
        ))}
      </ol>
      {foldable && (
        <button type="button" className="link-button sources-more" onClick={() => setAll(!all)}>
          {foldLabel}
        </button>
      )}
    </section>
  );
}

function SourceCard({
  source,
  expanded,
  active,
  onOpen,
}: {
  source: Source;
  expanded: boolean;
  active: boolean;
  onOpen: (n: number) => void;
}) {
  const t = useT();
  const { date } = useFormat();
  return (
    <button type="button" className="source-card" aria-pressed={active} onClick={() => onOpen(source.n)}>
      <span className="source-number">{source.n}</span>
      <span className="source-body">
        <span className="source-title">
          {source.kind === 'web' ? (
            <Globe size={14} role="img" aria-label={t('answer.web_page')} />
          ) : (
            <FileText size={14} aria-hidden="true" />
          )}
          <b>{sourceTitle(source)}</b>
        </span>
        {expanded && <span className="source-excerpt">{flatText(source.excerpt)}</span>}
        <small>
          {[
            placeLabel(t, source),
            scoreLabel(t, source),
            // A page says when it was published: what it says may be long out of date.
            source.kind === 'web' && source.as_of ? date(source.as_of) : '',
            flagLabel(t, source),
          ]
            .filter(Boolean)
            .join(' · ')}
        </small>
      </span>
    </button>
  );
}
