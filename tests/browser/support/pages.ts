import { expect, type Locator, type Page } from '@playwright/test';

/** Asks in a new chat and waits for the end of the answer. */
export async function ask(page: Page, question: string): Promise<Locator> {
  await page.goto('/chat');
  await page.getByRole('textbox', { name: /question|问题/i }).fill(question);
  await page.keyboard.press('Enter');
  const answer = page.locator('.answer').last();
  await expect(answer.locator('.answer-footer')).toBeVisible();
  return answer;
}

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The share of `inner` that lies within any of `outers`, taken one at a time. */
export function coveredBy(inner: Rect, outers: readonly Rect[]): number {
  const shares = outers.map((outer) => {
    const width = Math.min(inner.x + inner.width, outer.x + outer.width) - Math.max(inner.x, outer.x);
    const height = Math.min(inner.y + inner.height, outer.y + outer.height) - Math.max(inner.y, outer.y);
    return width > 0 && height > 0 ? (width * height) / (inner.width * inner.height) : 0;
  });
  return Math.max(0, ...shares);
}

/** Where the drawn text of a PDF page holds `words`, by the text layer that lies over the drawing. */
export async function wordsOnPage(sheet: Locator, words: RegExp): Promise<Rect[]> {
  await expect(sheet.locator('.pdf-text[data-drawn]')).toBeAttached();
  const spans = await sheet.locator('.pdf-text span', { hasText: words }).all();
  const rects = await Promise.all(spans.map((span) => span.boundingBox()));
  return rects.filter((rect) => rect !== null);
}
