import { describe, expect, it } from 'vitest';
import { firstPage, nextZoom, scaleBoxes, topOf } from './boxes';

const page = { width: 600, height: 800 };

describe('scaleBoxes', () => {
  it('keeps the boxes of the page and scales them', () => {
    const boxes = [
      { page: 2, x0: 101.5, y0: 201.5, x1: 198.5, y1: 218.5 },
      { page: 3, x0: 0, y0: 0, x1: 10, y1: 10 },
    ];
    expect(scaleBoxes(boxes, 2, 2, page)).toEqual([{ left: 200, top: 400, width: 200, height: 40 }]);
  });

  it('puts a reversed box right, clips to the page and drops what lies outside', () => {
    const boxes = [
      { page: 1, x0: 700, y0: 20, x1: 500, y1: 10 },
      { page: 1, x0: 900, y0: 10, x1: 950, y1: 20 },
    ];
    expect(scaleBoxes(boxes, 1, 1, page)).toEqual([{ left: 498.5, top: 8.5, width: 101.5, height: 13 }]);
  });
});

describe('where to look', () => {
  it('is the first box, else the page that the passage names', () => {
    const boxes = [
      { page: 5, x0: 0, y0: 9, x1: 1, y1: 10 },
      { page: 4, x0: 0, y0: 9, x1: 1, y1: 10 },
    ];
    expect(firstPage(boxes, 9)).toBe(4);
    expect(firstPage([], 9)).toBe(9);
    expect(firstPage([], null)).toBe(1);
    expect(topOf([])).toBe(0);
  });
});

describe('nextZoom', () => {
  it('moves between the steps and stops at the ends', () => {
    expect(nextZoom(1, 1)).toBe(1.25);
    expect(nextZoom(1.1, -1)).toBe(1);
    expect(nextZoom(3, 1)).toBe(3);
    expect(nextZoom(0.5, -1)).toBe(0.5);
  });
});
