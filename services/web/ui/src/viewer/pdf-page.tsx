import { memo, useEffect, useRef, useState } from 'react';
import type { Box } from '../api/types';
import { useT } from '../i18n/use';
import { scaleBoxes } from './boxes';
import { TextLayer, type PDFDocumentProxy, type PDFPageProxy } from './pdf';

/** Canvases larger than this are refused by some browsers and slow in all. */
const MAX_CANVAS_PIXELS = 16_777_216;

export interface PageSize {
  width: number;
  height: number;
}

/** One page: an empty sheet of the right size until it comes near the view, then its picture, text and marks. */
export const PdfPage = memo(function PdfPage({
  pdf,
  number,
  size,
  scale,
  near,
  passage,
  evidence,
  onSize,
}: {
  pdf: PDFDocumentProxy;
  number: number;
  /** In points. */
  size: PageSize;
  /** CSS pixels per point. */
  scale: number;
  near: boolean;
  passage: readonly Box[];
  evidence: readonly Box[];
  onSize: (page: number, size: PageSize) => void;
}) {
  const t = useT();
  const [page, setPage] = useState<PDFPageProxy | null>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const text = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!near) return;
    let current = true;
    void pdf.getPage(number).then((loaded) => {
      if (!current) return;
      const { width, height } = loaded.getViewport({ scale: 1 });
      onSize(number, { width, height });
      setPage(loaded);
    });
    return () => {
      current = false;
    };
  }, [pdf, number, near, onSize]);

  useEffect(() => {
    if (!page || !near || !canvas.current || !text.current) return;
    return render(page, scale, canvas.current, text.current);
  }, [page, scale, near]);

  const rects = scaleBoxes(passage, number, scale, size);
  const evidenceRects = scaleBoxes(evidence, number, scale, size);
  return (
    <div
      className="pdf-page"
      data-page={number}
      role="group"
      aria-label={t('viewer.page_label', { n: number })}
      style={{ width: size.width * scale, height: size.height * scale }}
    >
      {near && (
        <>
          <canvas ref={canvas} aria-hidden="true" />
          <div
            ref={text}
            className="pdf-text"
            style={{ '--scale-factor': scale, '--total-scale-factor': scale } as object}
          />
        </>
      )}
      {rects.map((rect, index) => (
        <i
          key={index}
          className={`pdf-mark ${evidenceRects.length > 0 ? 'pdf-mark-context' : ''}`}
          style={rect}
        />
      ))}
      {evidenceRects.map((rect, index) => (
        <i key={`e${index}`} className="pdf-mark pdf-mark-evidence" style={rect} />
      ))}
    </div>
  );
});

/** Draws the page and lays its text over it, so that it can be selected; returns how to stop. */
function render(
  page: PDFPageProxy,
  scale: number,
  canvas: HTMLCanvasElement,
  text: HTMLDivElement,
): () => void {
  const viewport = page.getViewport({ scale });
  const wanted = window.devicePixelRatio || 1;
  const density = Math.min(wanted, Math.sqrt(MAX_CANVAS_PIXELS / (viewport.width * viewport.height)));
  canvas.width = Math.floor(viewport.width * density);
  canvas.height = Math.floor(viewport.height * density);
  const drawing = page.render({
    canvas,
    viewport,
    ...(density === 1 ? {} : { transform: [density, 0, 0, density, 0, 0] }),
  });
  text.replaceChildren();
  const layer = new TextLayer({ textContentSource: page.streamTextContent(), container: text, viewport });
  // Both end by rejecting when they are cancelled; a page that cannot be drawn stays an empty sheet.
  drawing.promise.then(
    () => canvas.setAttribute('data-drawn', ''),
    () => undefined,
  );
  layer.render().then(
    () => text.setAttribute('data-drawn', ''),
    () => undefined,
  );
  return () => {
    drawing.cancel();
    layer.cancel();
  };
}
