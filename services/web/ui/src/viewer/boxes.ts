import type { Box } from '../api/types';

/** A rectangle in CSS pixels within a page. */
export interface PixelRect {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** A highlight reaches a little beyond its glyphs, in points. */
const PADDING_POINTS = 1.5;

/** Boxes of one page scaled from points to pixels, clipped to the page. */
export function scaleBoxes(
  boxes: readonly Box[],
  page: number,
  scale: number,
  pageSize: { width: number; height: number },
): PixelRect[] {
  const rects: PixelRect[] = [];
  for (const box of boxes) {
    if (box.page !== page) continue;
    const left = Math.max(0, Math.min(box.x0, box.x1) - PADDING_POINTS);
    const top = Math.max(0, Math.min(box.y0, box.y1) - PADDING_POINTS);
    const right = Math.min(pageSize.width, Math.max(box.x0, box.x1) + PADDING_POINTS);
    const bottom = Math.min(pageSize.height, Math.max(box.y0, box.y1) + PADDING_POINTS);
    if (right <= left || bottom <= top) continue;
    rects.push({
      left: left * scale,
      top: top * scale,
      width: (right - left) * scale,
      height: (bottom - top) * scale,
    });
  }
  return rects;
}

/** The page on which a passage begins: where its first box is, else what the passage says, else 1. */
export function firstPage(boxes: readonly Box[], pageStart: number | null | undefined): number {
  const pages = boxes.map((box) => box.page);
  return pages.length > 0 ? Math.min(...pages) : (pageStart ?? 1);
}

/** How far down a page its first box begins, in pixels; 0 when it has none. */
export function topOf(rects: readonly PixelRect[]): number {
  return rects.length > 0 ? Math.min(...rects.map((rect) => rect.top)) : 0;
}

export const ZOOM_STEPS = [0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 3] as const;

/** The next zoom step up (`1`) or down (`-1`) from any zoom. */
export function nextZoom(zoom: number, direction: 1 | -1): number {
  const steps = direction === 1 ? ZOOM_STEPS : [...ZOOM_STEPS].reverse();
  const next = steps.find((step) => (direction === 1 ? step > zoom + 0.01 : step < zoom - 0.01));
  return next ?? (steps.at(-1) as number);
}
