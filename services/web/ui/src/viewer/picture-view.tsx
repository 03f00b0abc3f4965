import { useEffect, useRef, useState } from 'react';
import { useT } from '../i18n/use';
import { Spinner } from '../kit/controls';
import { scaleBoxes } from './boxes';
import { PIXELS_PER_POINT } from './pictures';
import type { Passage } from './passage';

interface PixelSize {
  width: number;
  height: number;
}

/** A scanned picture with the passage marked on it. */
export function PictureView({
  url,
  passage,
  onFailure,
}: {
  url: string;
  passage: Passage | null;
  onFailure: () => void;
}) {
  const t = useT();
  const sheet = useRef<HTMLDivElement>(null);
  const [natural, setNatural] = useState<PixelSize | null>(null);
  const [shownWidth, setShownWidth] = useState(0);

  useEffect(() => {
    if (!sheet.current) return;
    const observer = new ResizeObserver(([entry]) => entry && setShownWidth(entry.contentRect.width));
    observer.observe(sheet.current);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (!natural || shownWidth === 0) return;
    const marks = sheet.current?.querySelectorAll('.pdf-mark');
    const target = sheet.current?.querySelector('.pdf-mark-evidence') ?? marks?.[0];
    target?.scrollIntoView({ block: 'center' });
  }, [natural, shownWidth, passage]);

  // Boxes are in points of the whole picture, which is shown as wide as there is room.
  const size = natural && {
    width: natural.width / PIXELS_PER_POINT,
    height: natural.height / PIXELS_PER_POINT,
  };
  const scale = size ? shownWidth / size.width : 0;
  const rects = size ? scaleBoxes(passage?.boxes ?? [], 1, scale, size) : [];
  const evidence = size ? scaleBoxes(passage?.evidence ?? [], 1, scale, size) : [];
  return (
    <div className="pdf-pages" tabIndex={0} role="region" aria-label={t('viewer.title')}>
      {!natural && (
        <div className="loading" role="status">
          <Spinner /> {t('viewer.rendering')}
        </div>
      )}
      <div
        className="pdf-page picture-sheet"
        ref={sheet}
        data-page={1}
        style={natural ? { maxWidth: natural.width } : { visibility: 'hidden' }}
      >
        <img
          src={url}
          alt={t('viewer.page_label', { n: 1 })}
          onLoad={(event) => {
            const { naturalWidth, naturalHeight } = event.currentTarget;
            if (naturalWidth > 0) setNatural({ width: naturalWidth, height: naturalHeight });
            else onFailure();
          }}
          onError={onFailure}
        />
        {rects.map((rect, index) => (
          <i
            key={index}
            className={`pdf-mark ${evidence.length > 0 ? 'pdf-mark-context' : ''}`}
            style={rect}
          />
        ))}
        {evidence.map((rect, index) => (
          <i key={`e${index}`} className="pdf-mark pdf-mark-evidence" style={rect} />
        ))}
      </div>
    </div>
  );
}
