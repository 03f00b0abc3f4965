import type { Page } from '@playwright/test';
import { Anwen } from '../support/anwen';
import { Api, GUEST } from '../support/api';
import { expect, test as base } from '../support/fixtures';

const test = base.extend({
  server: [
    async ({}, use) => {
      // A scripted model stands in for one that was fetched.
      const server = await Anwen.start('models', { ANWEN__MODEL_RUNTIME__ENABLE_STUB: 'true' });
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
});

test.describe.configure({ mode: 'serial' });
test.use({ story: 'models' });

const QWEN = {
  name: 'qwen3-4b',
  title: 'Qwen3 4B',
  family: 'Qwen3',
  sources: ['qwen3:4b'],
  parameter_size: '4.0B',
  context_tokens: 40960,
  memory_bytes: { Q4_K_M: 3_300_000_000 },
  languages: ['zh', 'en'],
  license: 'Apache-2.0',
  capabilities: ['chat', 'thinking'],
  installed: false,
};

const row = (page: Page, name: string) =>
  page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: new RegExp(`^${name}`) }) });

test('an administrator sees every model with its state, and what is part of the program stays', async ({
  adminPage: page,
}) => {
  await page.goto('/admin/models');
  for (const name of ['extractive', 'embedding', 'stub']) {
    await expect(row(page, name).getByText('Loaded', { exact: true })).toBeVisible();
  }
  await page.getByRole('button', { name: 'More actions: extractive' }).click();
  await expect(page.getByRole('menuitem', { name: 'Delete' })).toHaveAttribute('data-disabled', '');
  await expect(page.getByRole('menuitem', { name: 'Unload' })).toHaveCount(0);
});

test('a model that is kept for a group is gone from the picker of everybody else', async ({
  adminPage: page,
  adminApi: api,
  browser,
  server,
}) => {
  await api.send('POST', '/groups', { name: 'Testers' });
  await api.send('POST', '/users', { username: GUEST.username, password: GUEST.password });
  // Somebody without any knowledge base is shown how to begin, not where to ask.
  const base = await api.send<{ id: string }>('POST', '/knowledge-bases', { name: 'For all' });
  const grants = await api.send<object[]>('GET', `/knowledge-bases/${base.id}/grants`);
  const everyone = { principal: 'everyone', role: 'viewer' };
  await api.send('PUT', `/knowledge-bases/${base.id}/grants`, [...grants, everyone]);
  const context = await browser.newContext({ baseURL: server.url, locale: 'en' });
  await new Api(context.request, server.url).signIn(GUEST);
  const guest = await context.newPage();
  const offered = async () => {
    await guest.goto('/chat');
    await guest.getByRole('button', { name: /Choose a model/ }).click();
    await expect(guest.getByRole('menuitemradio', { name: 'Automatic model' })).toBeVisible();
    return guest.getByRole('menuitemradio', { name: 'stub' }).count();
  };
  expect(await offered()).toBe(1);

  await page.goto('/admin/models');
  await page.getByRole('button', { name: 'More actions: stub' }).click();
  await page.getByRole('menuitem', { name: 'Who may use it' }).click();
  await page.getByRole('button', { name: 'Some groups' }).click();
  await page.getByRole('checkbox', { name: 'Testers' }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  expect(await offered()).toBe(0);
  await context.close();
});

test('a fetch that fails says so, and can be put away', async ({ adminPage: page }) => {
  // What the network would say is said here: the page's part is to show it.
  await page.route('**/api/v1/admin/models/pull', (route) =>
    route.fulfill({
      contentType: 'text/event-stream',
      body:
        'event: progress\ndata: {"status":"pulling manifest"}\n\n' +
        'event: error\ndata: {"code":"service_unavailable","message":"the source does not have it"}\n\n',
    }),
  );
  await page.route('**/api/v1/admin/models/catalogue', (route) =>
    route.fulfill({ json: { models: [], pull_enabled: true } }),
  );
  await page.goto('/admin/models');
  await page.getByRole('textbox', { name: 'Name or address' }).fill('hf.co/nobody/nothing');
  await page.getByRole('button', { name: 'Fetch', exact: true }).click();
  const tasks = page.getByRole('region', { name: 'Models on their way' });
  await expect(tasks.getByRole('alert')).toContainText('the source does not have it');
  await tasks.getByRole('button', { name: 'Remove from the list: hf.co/nobody/nothing' }).click();
  await expect(tasks).toHaveCount(0);
});

test('where models may not be fetched, the page says how they come in instead', async ({
  adminPage: page,
}) => {
  await page.route('**/api/v1/admin/models/catalogue', (route) =>
    route.fulfill({
      json: { models: [QWEN], pull_enabled: false },
    }),
  );
  await page.goto('/admin/models');
  await expect(page.getByRole('note')).toContainText('fetches no models over the network');
  await expect(page.getByText('Qwen3 4B')).toBeVisible();
  await expect(page.getByRole('button', { name: /^Fetch/ })).toHaveCount(0);
});
