import type { Page } from '@playwright/test';
import { ADMIN, GUEST } from '../support/api';
import { expect, sample, test } from '../support/fixtures';
import { ask, coveredBy, wordsOnPage } from '../support/pages';

// One story on one server: each step builds on the one before it.
test.describe.configure({ mode: 'serial' });
test.use({ story: 'journey' });

const ENGLISH = 'Until when can I use leave days carried over from last year?';
const CHINESE = 'E-305 是什么故障，怎么处理？';

let baseId = '';

/** Fills in the form of the first page and lands on the start page. */
async function setUp(page: Page) {
  await page.goto('/');
  await page.getByLabel('Display name').fill(ADMIN.display_name);
  await page.getByLabel('Username').fill(ADMIN.username);
  await page.getByLabel('Password', { exact: true }).fill(ADMIN.password);
  await page.getByRole('button', { name: 'Create administrator' }).click();
}

test('the first visitor makes the administrator and sees where to begin', async ({ page }) => {
  await setUp(page);
  await expect(page.getByRole('heading', { name: 'Begin with some documents' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Load sample documents' })).toBeVisible();
});

test('a wrong password is refused in words, the right one signs in', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('Username').fill(ADMIN.username);
  await page.getByLabel('Password', { exact: true }).fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('The username or the password is wrong');
  await page.getByLabel('Password', { exact: true }).fill(ADMIN.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('button', { name: `Account: ${ADMIN.display_name}` })).toBeVisible();
});

test('a knowledge base is made, and files dropped into it become ready one by one', async ({
  adminPage: page,
}) => {
  await page.goto('/chat');
  await page.getByRole('button', { name: 'Use your own documents' }).click();
  await page.getByLabel('Name').fill('Company library');
  await page.getByRole('button', { name: 'Create' }).click();
  await expect(page).toHaveURL(/\/library\/[0-9a-f-]{36}$/);
  baseId = page.url().split('/').at(-1) ?? '';

  await page
    .locator('input[type=file]')
    .first()
    .setInputFiles(
      ['Employee Handbook.pdf', 'LT-480 维护手册.docx', 'Warehouse Safety Rules.md'].map(sample),
    );
  await page
    .locator('input[type=file]')
    .first()
    .setInputFiles({
      name: 'broken.pdf',
      mimeType: 'application/pdf',
      buffer: Buffer.from('%PDF-1.7\nnot really'),
    });
  const row = (name: string) => page.getByRole('row', { name: new RegExp(name) });
  for (const name of ['Employee Handbook.pdf', 'LT-480 维护手册.docx', 'Warehouse Safety Rules.md']) {
    await expect(row(name).getByText('Ready', { exact: true })).toBeVisible({ timeout: 40_000 });
  }
  // The bad file fails alone and says why.
  await expect(row('broken.pdf').getByText('Failed', { exact: true })).toBeVisible();
  await expect(row('broken.pdf').locator('.file-error')).not.toBeEmpty();
});

test('an English question is answered with a citation that marks the passage on its PDF page', async ({
  adminPage: page,
}) => {
  const answer = await ask(page, ENGLISH);
  await expect(answer.locator('.prose')).toContainText('31 March');
  const chip = answer.locator('.source-card', { hasText: 'Employee Handbook.pdf' }).first();
  await chip.click();

  // The passage's page, not the first one, and the marks lie over the words that answer.
  const sheet = page.locator('.pdf-page', { has: page.locator('.pdf-mark') }).first();
  await expect(sheet).toBeInViewport();
  await expect(sheet).toHaveAttribute('data-page', '3');
  await expect(sheet.locator('canvas[data-drawn]')).toBeAttached();
  const words = await wordsOnPage(sheet, /carried over lapse on 31 March/);
  expect(words.length).toBeGreaterThan(0);
  const marks = await sheet.locator('.pdf-mark').all();
  const rects = (await Promise.all(marks.map((mark) => mark.boundingBox()))).filter((rect) => rect !== null);
  expect(Math.max(...words.map((word) => coveredBy(word, rects)))).toBeGreaterThan(0.6);
  await expect(sheet.locator('.pdf-mark').first()).toBeInViewport();
});

test('a citation chip in the text opens its source', async ({ adminPage: page }) => {
  const answer = await ask(page, ENGLISH);
  await answer.locator('.prose .chip').first().click();
  const panel = page.getByRole('complementary', { name: 'Sources' });
  await expect(panel.getByRole('heading')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(panel).toBeHidden();
});

test('a Chinese question is answered from the Word file, with the passage marked in its text', async ({
  adminPage: page,
}) => {
  const answer = await ask(page, CHINESE);
  await expect(answer.locator('.prose')).toContainText('85');
  await answer.locator('.source-card', { hasText: 'LT-480 维护手册.docx' }).first().click();
  const marked = page.locator('.text-marked');
  await expect(marked).toBeInViewport();
  await expect(marked).toContainText('E-305');
});

test('what the documents do not say is said to be missing', async ({ adminPage: page }) => {
  const answer = await ask(page, 'Which planet has the most moons?');
  await expect(answer.locator('.outcome-missing')).toContainText('Not in your documents');
});

test('a chat is still there after a reload, with its sources', async ({ adminPage: page }) => {
  await ask(page, ENGLISH);
  await page.reload();
  await expect(page.locator('.question')).toContainText('carried over');
  await expect(page.locator('.source-card').first()).toBeVisible();
});

test('language and theme change at once and stay', async ({ adminPage: page }) => {
  await page.goto('/profile');
  await page.getByRole('button', { name: '中文' }).click();
  await expect(page.getByRole('heading', { name: '个人设置' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-CN');
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByRole('button', { name: '深色' }).click();
  expect(await background()).not.toBe(light);
  await page.reload();
  await expect(page.getByRole('heading', { name: '个人设置' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('search finds a code exactly and opens the passage', async ({ adminPage: page }) => {
  await page.goto('/search');
  await page.getByRole('searchbox').fill('E-305');
  await page.keyboard.press('Enter');
  await page.locator('.hit', { hasText: 'LT-480 维护手册.docx' }).first().click();
  await expect(page.locator('.text-marked')).toContainText('E-305');
});

test('a second user sees nothing that was not granted, and everything that was', async ({
  browser,
  server,
  adminApi: api,
}) => {
  const guest = await api.send<{ id: string }>('POST', '/users', { ...GUEST, role: 'user' });
  const context = await browser.newContext({ baseURL: server.url, locale: 'en' });
  const page = await context.newPage();
  await page.goto('/');
  await page.getByLabel('Username').fill(GUEST.username);
  await page.getByLabel('Password', { exact: true }).fill(GUEST.password);
  await page.getByRole('button', { name: 'Sign in' }).click();

  await expect(page.getByRole('heading', { name: 'Begin with some documents' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Administration' })).toHaveCount(0);
  await page.goto(`/library/${baseId}`);
  await expect(page.getByRole('alert')).toContainText('you may not see it');
  await page.goto('/admin/users');
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
  await page.goto('/search?q=E-305');
  await expect(page.getByRole('heading', { name: /Nothing found/ })).toBeVisible();

  await api.send('PUT', `/knowledge-bases/${baseId}/grants`, [
    ...(await api.send<object[]>('GET', `/knowledge-bases/${baseId}/grants`)),
    { principal: `user:${guest.id}`, role: 'viewer' },
  ]);
  await page.goto('/library');
  await page.getByRole('link', { name: 'Company library' }).click();
  await expect(page.getByRole('link', { name: /Employee Handbook/ })).toBeVisible();
  // A viewer reads and does not change.
  await expect(page.getByRole('button', { name: 'Upload files' })).toHaveCount(0);
  const answer = await ask(page, ENGLISH);
  await expect(answer.locator('.prose')).toContainText('31 March');
  await context.close();
});

test('signing out leaves nothing behind', async ({ adminPage: page }) => {
  await page.goto('/library');
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await page.goto(`/library/${baseId}`);
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible();
});
