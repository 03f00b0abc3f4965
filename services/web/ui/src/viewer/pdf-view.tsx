import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useT } from '../i18n/use';
import { Spinner } from '../kit/controls';
import { firstPage, scaleBoxes, topOf } from './boxes';
import type { Passage } from './passage';
import { openPdf, type PDFDocumentProxy } from './pdf';
import { PdfPage, type PageSize } from './pdf-page';
import { PdfToolbar } from './pdf-toolbar';

const GAP_PX = 14;
/** Fitting a page to a very wide window would make its letters huge. */
const MAX_FIT_SCALE = 1.8;
/** The passage comes to rest this far down the view, so that what leads to it can be read as well. */
const PASSAGE_AT = 0.25;
/** The page that counts as the present one is the one that stands this far down the view. */
const PAGE_AT = 0.3;
const A4: PageSize = { width: 595, height: 842 };

export function PdfView({
  url,
  passage,
  onFailure,
}: {
  url: string;
  passage: Passage | null;
  onFailure: () => void;
}) {
  const t = useT();
  const [pdf, setPdf] = useState<{ document: PDFDocumentProxy; first: PageSize } | null>(null);

  useEffect(() => {
    const task = openPdf(url);
    let current = true;
    async function open() {
      const document = await task.promise;
      const { width, height } = (await document.getPage(1)).getViewport({ scale: 1 });
      if (current) setPdf({ document, first: { width, height } });
    }
    open().catch(() => current && onFailure());
    return () => {
      current = false;
      setPdf(null);
      void task.destroy();
    };
  }, [url, onFailure]);

  if (!pdf) {
    return (
      <div className="loading" role="status">
        <Spinner /> {t('viewer.rendering')}
      </div>
    );
  }
  return <Pages pdf={pdf.document} first={pdf.first ?? A4} passage={passage} />;
}

function Pages({ pdf, first, passage }: { pdf: PDFDocumentProxy; first: PageSize; passage: Passage | null }) {
  const t = useT();
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller);
  const [zoom, setZoom] = useState(1);
  const [sizes, setSizes] = useState<ReadonlyMap<number, PageSize>>(new Map());
  const [page, setPage] = useState(1);
  const near = useNearPages(scroller, pdf.numPages, width > 0);
  // Pages learn their sizes as they load; until the reader moves, the passage is kept in its place.
  const reading = useRef(false);

  const fit = width > 0 ? Math.min(width / first.width, MAX_FIT_SCALE) : 0;
  const scale = fit * zoom;
  const sizeOf = useCallback((number: number) => sizes.get(number) ?? first, [sizes, first]);
  const onSize = useCallback((number: number, size: PageSize) => {
    setSizes((before) => {
      const known = before.get(number);
      if (known && known.width === size.width && known.height === size.height) return before;
      return new Map(before).set(number, size);
    });
  }, []);

  const goTo = useCallback((number: number, offset = 0) => {
    const sheet = scroller.current?.querySelector<HTMLElement>(`[data-page="${number}"]`);
    if (sheet && scroller.current) scroller.current.scrollTop = sheet.offsetTop - GAP_PX + offset;
  }, []);

  const goToPassage = useCallback(() => {
    if (!passage) return;
    const number = Math.min(firstPage(passage.boxes, passage.pageStart), pdf.numPages);
    const evidence = passage.evidence.filter((box) => box.page === number);
    const top = topOf(
      scaleBoxes(evidence.length > 0 ? evidence : passage.boxes, number, scale, sizeOf(number)),
    );
    const height = scroller.current?.clientHeight ?? 0;
    goTo(number, top + GAP_PX - height * PASSAGE_AT);
  }, [passage, pdf, scale, sizeOf, goTo]);

  useEffect(() => {
    reading.current = false;
  }, [passage]);
  useLayoutEffect(() => {
    if (scale > 0 && !reading.current) goToPassage();
  }, [scale, sizes, goToPassage]);

  function onScroll() {
    const element = scroller.current;
    if (!element) return;
    const middle = element.scrollTop + element.clientHeight * PAGE_AT;
    const sheets = [...element.querySelectorAll<HTMLElement>('[data-page]')];
    const at = sheets.findLast((sheet) => sheet.offsetTop <= middle);
    if (at) setPage(Number(at.dataset['page']));
  }

  const moved = () => {
    reading.current = true;
  };
  return (
    <div className="pdf">
      <PdfToolbar
        page={page}
        pages={pdf.numPages}
        zoom={zoom}
        onPage={(number) => {
          moved();
          goTo(number);
        }}
        onZoom={setZoom}
        onPassage={passage ? goToPassage : null}
      />
      <div
        className="pdf-pages"
        ref={scroller}
        onScroll={onScroll}
        onWheel={moved}
        onTouchMove={moved}
        onKeyDown={moved}
        onPointerDown={moved}
        tabIndex={0}
        role="region"
        aria-label={t('viewer.title')}
      >
        {scale > 0 &&
          Array.from({ length: pdf.numPages }, (_, index) => index + 1).map((number) => (
            <PdfPage
              key={number}
              pdf={pdf}
              number={number}
              size={sizeOf(number)}
              scale={scale}
              near={near.has(number)}
              passage={passage?.boxes ?? []}
              evidence={passage?.evidence ?? []}
              onSize={onSize}
            />
          ))}
      </div>
    </div>
  );
}

function useWidth(element: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(entry.contentRect.width));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return width;
}

/** The pages within a screen of the view: those alone are drawn, so a thousand pages cost no more than a few. */
function useNearPages(
  scroller: React.RefObject<HTMLElement | null>,
  pages: number,
  ready: boolean,
): ReadonlySet<number> {
  const [near, setNear] = useState<ReadonlySet<number>>(new Set());
  useEffect(() => {
    if (!ready || !scroller.current) return;
    const observer = new IntersectionObserver(
      (entries) =>
        setNear((before) => {
          const after = new Set(before);
          for (const entry of entries) {
            const number = Number((entry.target as HTMLElement).dataset['page']);
            if (entry.isIntersecting) after.add(number);
            else after.delete(number);
          }
          return after;
        }),
      { root: scroller.current, rootMargin: '100% 0px' },
    );
    for (const sheet of scroller.current.querySelectorAll('[data-page]')) observer.observe(sheet);
    return () => observer.disconnect();
  }, [scroller, pages, ready]);
  return near;
}
