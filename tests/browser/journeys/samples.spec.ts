import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { ADMIN } from '../support/api';
import { expect, test } from '../support/fixtures';
import { ask } from '../support/pages';

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

test('an answer can be made again, and both versions stay and can be rated', async ({ adminPage: page }) => {
  const answer = await ask(page, 'What is the hotel limit per night in Shanghai?');
  await expect(answer.locator('.prose')).toContainText('650');
  await answer.getByRole('button', { name: 'Answer again' }).click();
  await expect(answer.locator('.versions')).toContainText('2 / 2');
  await answer.getByRole('button', { name: 'Previous version' }).click();
  await expect(answer.locator('.versions')).toContainText('1 / 2');
  await answer.getByRole('button', { name: 'Helpful', exact: true }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Thank you' })).toBeVisible();
  await page.reload();
  await page.getByRole('button', { name: 'Previous version' }).click();
  await expect(page.getByRole('button', { name: 'Helpful', exact: true })).toHaveAttribute(
    'aria-pressed',
    'true',
  );
});

test('a group is made, gets a member, and is granted a knowledge base', async ({ adminPage: page }) => {
  await page.goto('/admin/groups');
  await page.getByRole('button', { name: 'New group' }).click();
  await page.getByLabel('Name').fill('Maintenance');
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByLabel('Add a member: Maintenance').selectOption({ label: ADMIN.display_name });
  await expect(page.getByText('1 member', { exact: true })).toBeVisible();

  await page.goto('/library');
  await page.locator('.base-card a').first().click();
  await page.getByRole('link', { name: 'Access' }).click();
  await page.getByLabel('Add a user or group').selectOption({ label: 'Maintenance' });
  await expect(page.getByLabel('Role of Maintenance')).toHaveValue('viewer');
  const saved = page.waitForResponse((response) => response.request().method() === 'PUT' && response.ok());
  await page.getByLabel('Role of Maintenance').selectOption('editor');
  await saved;
  await page.reload();
  await expect(page.getByLabel('Role of Maintenance')).toHaveValue('editor');
  // Somebody has to stay in charge.
  await expect(page.getByLabel(`Role of ${ADMIN.display_name}`)).toBeDisabled();
});

test('an API key is shown once, works, and can be taken back', async ({ adminPage: page, server }) => {
  await page.goto('/profile');
  await page.getByRole('button', { name: 'New key' }).click();
  await page.getByLabel('Purpose').fill('Report script');
  await page.getByRole('button', { name: 'Create' }).click();
  const secret = (await page.locator('.secret').textContent()) ?? '';
  const status = async () =>
    (await fetch(`${server.url}/api/v1/knowledge-bases`, { headers: { Authorization: `Bearer ${secret}` } }))
      .status;
  expect(await status()).toBe(200);
  await page.getByRole('button', { name: 'Close' }).last().click();
  await page.getByRole('button', { name: 'Delete: Report script' }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await expect(page.getByText('No keys yet')).toBeVisible();
  expect(await status()).toBe(401);
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
