import { describe, expect, it } from 'vitest';
import { scaleBoxes } from './boxes';
import { isShownPicture, PIXELS_PER_POINT } from './pictures';

describe('pictures', () => {
  it('are shown where browsers can, and TIFF is not', () => {
    expect(isShownPicture('image/png')).toBe(true);
    expect(isShownPicture('image/jpeg')).toBe(true);
    expect(isShownPicture('image/tiff')).toBe(false);
    expect(isShownPicture('application/pdf')).toBe(false);
  });

  it('have boxes in points that fall on their pixels', () => {
    const size = { width: 800 / PIXELS_PER_POINT, height: 400 / PIXELS_PER_POINT };
    const box = { page: 1, x0: 75, y0: 75, x1: 150, y1: 90 };
    // Shown at half its width: 400 pixels for 800.
    const [rect] = scaleBoxes([box], 1, 400 / size.width, size);
    expect(rect?.left).toBeCloseTo((75 - 1.5) * PIXELS_PER_POINT * 0.5);
    expect(rect?.width).toBeCloseTo((75 + 3) * PIXELS_PER_POINT * 0.5);
  });
});
