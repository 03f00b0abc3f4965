import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from '../support/fixtures';

test.describe.configure({ mode: 'serial' });
test.use({ story: 'samples' });

test('one button loads the samples, and a suggested question is answered from them', async ({
  adminPage: page,
}) => {
  await page.goto('/');
  await page.getByRole('button', { name: 'Load sample documents' }).click();
  const question = page.getByRole('button', { name: 'What does fault code E-204 mean?' });
  await question.click({ timeout: 45_000 });
  await expect(page.locator('.answer-footer')).toBeVisible();
  await expect(page.locator('.prose')).toContainText('priming');
});

/** Serious faults of a page for people who use a keyboard or a screen reader. */
async function barriers(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa']).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
}

for (const theme of ['light', 'dark'] as const) {
  test(`pages have no serious barriers (${theme})`, async ({ adminPage: page, adminApi: api }) => {
    const bases = await api.send<{ items: { id: string }[] }>('GET', '/knowledge-bases');
    const chats = await api.send<{ items: { id: string }[] }>('GET', '/chats');
    const base = bases.items[0]?.id;
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    const addresses = [
      '/chat',
      `/chat/${chats.items[0]?.id}`,
      '/library',
      `/library/${base}`,
      `/library/${base}/access`,
      '/search?q=E-204',
      '/admin/users',
      '/profile',
    ];
    const found: Record<string, string[]> = {};
    for (const address of addresses) {
      await page.goto(address);
      await expect(page.locator('h1, .question').first()).toBeVisible();
      await expect(page.locator('.loading')).toHaveCount(0);
      const faults = await barriers(page);
      if (faults.length > 0) found[address] = faults;
    }
    expect(found).toEqual({});
  });
}

test('every page fits a phone', async ({ adminPage: page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const address of [
    '/chat',
    '/library',
    '/search?q=E-204',
    '/admin/users',
    '/admin/audit',
    '/profile',
  ]) {
    await page.goto(address);
    await expect(page.locator('h1').first()).toBeVisible();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow, address).toBeLessThanOrEqual(0);
  }
});
