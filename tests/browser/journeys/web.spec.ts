import { Anwen } from '../support/anwen';
import { expect, test as base } from '../support/fixtures';
import { StandInWeb } from '../support/web';

const test = base.extend<object, { web: StandInWeb }>({
  web: [
    async ({}, use) => {
      const web = await StandInWeb.start();
      await use(web);
      await web.stop();
    },
    { scope: 'worker' },
  ],
  server: [
    async ({ web }, use) => {
      const server = await Anwen.start('web', web.settings);
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
});

test.describe.configure({ mode: 'serial' });
test.use({ story: 'web' });

const QUESTION = 'How often is the mechanical seal of a dewatering pump replaced? Call me at 13812345678.';

test('nobody can search the web before an administrator has switched it on', async ({
  adminPage: page,
  adminApi: api,
  web,
}) => {
  const { id } = await api.send<{ id: string }>('POST', '/knowledge-bases', { name: 'Empty' });
  expect(id).not.toBe('');
  await page.goto('/chat');
  await expect(page.getByRole('textbox', { name: /question/i })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Search the web' })).toHaveCount(0);

  await page.goto('/admin/search');
  const allowed = page.getByRole('checkbox', { name: /Allow web search/ });
  await allowed.click();
  await expect(allowed).toBeChecked();
  await page.goto('/chat');
  await expect(page.getByRole('button', { name: 'Search the web' })).toBeVisible();
  expect(web.asked).toEqual([]);
});

test('a question is answered from a page of the web, which is cited and opens', async ({
  adminPage: page,
  web,
}) => {
  await page.goto('/chat');
  await page.getByRole('button', { name: 'Search the web' }).click();
  await page.getByRole('textbox', { name: /question/i }).fill(QUESTION);
  await page.keyboard.press('Enter');
  const answer = page.locator('.answer').last();
  await expect(answer.locator('.answer-footer')).toBeVisible();
  await expect(answer.locator('.prose')).toContainText('4000 hours');
  // Keywords have left, and no number that calls somebody.
  expect(web.asked).toHaveLength(1);
  expect(web.asked[0]).toContain('mechanical seal');
  expect(web.asked[0]).not.toContain('13812345678');

  await answer.locator('.source-card').first().click();
  const link = page.getByRole('link', { name: /Open page .opens/ });
  await expect(link).toHaveAttribute('href', `${web.url}/seals`);
  await expect(link).toHaveAttribute('rel', /noopener/);
});

test('where the rules say so, an asker sees what would leave and agrees to it', async ({
  adminPage: page,
  adminApi: api,
  web,
}) => {
  const rules = await api.send<object>('GET', '/settings/web_search');
  await api.send('PUT', '/settings/web_search', {
    ...rules,
    confirm_before_sending: true,
    organisation_words: ['Falcon'],
  });
  const before = web.asked.length;
  await page.goto('/chat');
  await page.getByRole('button', { name: 'Search the web' }).click();
  await page
    .getByRole('textbox', { name: /question/i })
    .fill('How often are seals of the Falcon pumps replaced?');
  await page.keyboard.press('Enter');
  const query = page.getByRole('textbox', { name: 'Query' });
  await expect(query).toHaveValue(/seals/);
  await expect(query).not.toHaveValue(/falcon/i);
  expect(web.asked).toHaveLength(before);
  await query.fill('mechanical seal dewatering pump hours');
  await page.getByRole('button', { name: 'Search and ask' }).click();
  await expect(page.locator('.answer-footer')).toBeVisible();
  expect(web.asked.slice(before)).toEqual(['mechanical seal dewatering pump hours']);
});
