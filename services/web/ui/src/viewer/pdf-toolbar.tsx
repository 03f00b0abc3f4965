import { ChevronDown, ChevronUp, Highlighter, MoveHorizontal, ZoomIn, ZoomOut } from 'lucide-react';
import { useEffect, useState, type FormEvent } from 'react';
import { useT } from '../i18n/use';
import { IconButton } from '../kit/controls';
import { nextZoom } from './boxes';

export function PdfToolbar({
  page,
  pages,
  zoom,
  onPage,
  onZoom,
  onPassage,
}: {
  page: number;
  pages: number;
  zoom: number;
  onPage: (page: number) => void;
  onZoom: (zoom: number) => void;
  onPassage: (() => void) | null;
}) {
  const t = useT();
  const [typed, setTyped] = useState(String(page));
  useEffect(() => setTyped(String(page)), [page]);

  function go(event: FormEvent) {
    event.preventDefault();
    const wanted = Number.parseInt(typed, 10);
    if (Number.isFinite(wanted)) onPage(Math.min(Math.max(wanted, 1), pages));
    else setTyped(String(page));
  }

  return (
    <div className="pdf-toolbar" role="toolbar" aria-label={t('viewer.title')}>
      <IconButton
        small
        label={t('viewer.previous_page')}
        disabled={page <= 1}
        onClick={() => onPage(page - 1)}
      >
        <ChevronUp size={17} />
      </IconButton>
      <IconButton
        small
        label={t('viewer.next_page')}
        disabled={page >= pages}
        onClick={() => onPage(page + 1)}
      >
        <ChevronDown size={17} />
      </IconButton>
      <form onSubmit={go}>
        <input
          aria-label={t('viewer.page')}
          inputMode="numeric"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onBlur={go}
        />
      </form>
      <span className="pdf-count">{t('viewer.of', { n: pages })}</span>
      <span className="pdf-gap" />
      {onPassage && (
        <IconButton small label={t('viewer.to_passage')} onClick={onPassage}>
          <Highlighter size={16} />
        </IconButton>
      )}
      <IconButton small label={t('viewer.zoom_out')} onClick={() => onZoom(nextZoom(zoom, -1))}>
        <ZoomOut size={17} />
      </IconButton>
      <span className="pdf-count">{Math.round(zoom * 100)}%</span>
      <IconButton small label={t('viewer.zoom_in')} onClick={() => onZoom(nextZoom(zoom, 1))}>
        <ZoomIn size={17} />
      </IconButton>
      <IconButton small label={t('viewer.fit')} onClick={() => onZoom(1)}>
        <MoveHorizontal size={17} />
      </IconButton>
    </div>
  );
}
