import { Download, ExternalLink, Maximize2, X } from 'lucide-react';
import { lazy, Suspense, useEffect, useMemo, useRef } from 'react';
import { Link } from 'wouter';
import type { Source } from '../../api/types';
import type { Message } from '../../chat/conversation';
import { useFormat, useT } from '../../i18n/use';
import { IconButton, Loading } from '../../kit/controls';
import { contentUrl, documentUrl, type Passage } from '../../viewer/passage';
import { citationLabel, placeLabel, scoreLabel, sourceTitle, webAddress } from './source-text';
import { WebPassage } from './web-passage';

const DocumentViewer = lazy(() => import('../../viewer/document-viewer'));

/** The passage of a source, with what the answer's sentences rest on. */
function passageOf(message: Message, source: Source): Passage {
  const supported = message.citations.filter((citation) => citation.n === source.n && citation.supported);
  return {
    chunkId: source.chunk_id ?? null,
    excerpt: source.excerpt,
    pageStart: source.page_start ?? null,
    boxes: source.boxes ?? [],
    evidence: supported.flatMap((citation) => citation.boxes ?? []),
    sentences: supported.map((citation) => citation.sentence),
    version: source.version ?? null,
  };
}

export function SourcePanel({
  message,
  n,
  onChoose,
  onClose,
}: {
  message: Message;
  n: number;
  onChoose: (n: number) => void;
  onClose: () => void;
}) {
  const t = useT();
  const heading = useRef<HTMLHeadingElement>(null);
  const source = message.sources.find((item) => item.n === n);
  const passage = useMemo(() => (source ? passageOf(message, source) : null), [message, source]);

  // The panel takes the focus when it opens and gives it back when it closes.
  useEffect(() => {
    const before = document.activeElement;
    heading.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  if (!source || !passage) return null;
  return (
    <aside
      className="panel"
      aria-label={t('answer.sources')}
      onKeyDown={(event) => event.key === 'Escape' && onClose()}
    >
      <header className="panel-head">
        <div className="panel-title">
          <h2 ref={heading} tabIndex={-1}>
            {sourceTitle(source)}
          </h2>
          <PanelMeta source={source} />
        </div>
        <PanelActions source={source} passage={passage} onClose={onClose} />
      </header>
      {message.sources.length > 1 && (
        <div className="panel-tabs" role="group" aria-label={t('answer.sources')}>
          {message.sources.map((item) => (
            <button
              key={item.n}
              type="button"
              className="chip chip-tab"
              aria-pressed={item.n === n}
              aria-label={citationLabel(t, item)}
              onClick={() => onChoose(item.n)}
            >
              {item.n}
            </button>
          ))}
        </div>
      )}
      {source.document_id ? (
        <Suspense fallback={<Loading />}>
          <DocumentViewer key={source.document_id} documentId={source.document_id} passage={passage} />
        </Suspense>
      ) : (
        <WebPassage source={source} sentences={passage.sentences} />
      )}
    </aside>
  );
}

function PanelMeta({ source }: { source: Source }) {
  const t = useT();
  const { date } = useFormat();
  const parts = [
    placeLabel(t, source),
    scoreLabel(t, source),
    source.version ? t('answer.as_of', { version: source.version }) : '',
    source.as_of ? date(source.as_of) : '',
  ];
  return <p>{parts.filter(Boolean).join(' · ')}</p>;
}

function PanelActions({
  source,
  passage,
  onClose,
}: {
  source: Source;
  passage: Passage;
  onClose: () => void;
}) {
  const t = useT();
  const address = webAddress(source);
  return (
    <div className="panel-actions">
      {address && (
        <a
          href={address.href}
          className="icon-button"
          target="_blank"
          rel="noopener noreferrer"
          aria-label={t('answer.open_page')}
          title={t('answer.open_page')}
        >
          <ExternalLink size={17} />
        </a>
      )}
      {source.document_id && (
        <>
          <a
            href={contentUrl(source.document_id, source.version ?? null)}
            className="icon-button"
            download
            aria-label={t('viewer.download')}
            title={t('viewer.download')}
          >
            <Download size={17} />
          </a>
          <Link
            href={documentUrl(source.document_id, passage)}
            className="icon-button"
            aria-label={t('viewer.open_full')}
            title={t('viewer.open_full')}
          >
            <Maximize2 size={17} />
          </Link>
        </>
      )}
      <IconButton label={source.document_id ? t('viewer.close') : t('common.close')} onClick={onClose}>
        <X size={18} />
      </IconButton>
    </div>
  );
}
