import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from '@playwright/test';
import { REPOSITORY } from '../support/anwen';
import { ADMIN, Api } from '../support/api';
import { expect, test } from '../support/fixtures';
import { ask } from '../support/pages';

test.use({ story: 'pictures' });

/** The pictures that the README shows. */
const IMAGES = join(REPOSITORY, 'docs/images');
/** Every page in both languages, themes and widths, for a person to look over. */
const EVERY = process.env['PICTURES'] ?? join(tmpdir(), 'anwen-pictures');

const QUESTION = {
  zh: '连续旷工几天公司可以解除劳动合同？',
  en: 'Until when can I use leave days carried over from last year?',
};

interface Variant {
  language: 'zh' | 'en';
  theme: 'light' | 'dark';
  width: 1440 | 390;
}

const VARIANTS: Variant[] = (['zh', 'en'] as const).flatMap((language) =>
  (['light', 'dark'] as const).flatMap((theme) =>
    ([1440, 390] as const).map((width) => ({ language, theme, width })),
  ),
);

async function openPage(browser: Browser, url: string, variant: Variant, density = 1): Promise<Page> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: variant.width, height: variant.width === 390 ? 844 : 900 },
    colorScheme: variant.theme,
    locale: variant.language === 'zh' ? 'zh-CN' : 'en',
    deviceScaleFactor: density,
    reducedMotion: 'reduce',
  });
  await new Api(context.request, url).signIn(ADMIN);
  return context.newPage();
}

async function citation(page: Page, language: 'zh' | 'en') {
  const answer = await ask(page, QUESTION[language]);
  await answer.locator('.source-card', { hasText: '.pdf' }).first().click();
  await expect(page.locator('.pdf-mark').first()).toBeInViewport();
  await expect(page.locator('.pdf-page canvas[data-drawn]').first()).toBeAttached();
}

test('pictures', async ({ browser, server, adminApi: api }) => {
  await mkdir(IMAGES, { recursive: true });
  await mkdir(EVERY, { recursive: true });
  const empty = await openPage(browser, server.url, { language: 'en', theme: 'light', width: 1440 });
  await empty.goto('/');
  await empty.locator('.start').waitFor();
  await empty.screenshot({ path: join(EVERY, 'start-en-light-1440.png') });
  await empty.context().close();

  const { knowledge_base_id: base } = await api.send<{ knowledge_base_id: string }>('POST', '/samples');
  await expect
    .poll(async () => (await api.send<{ status: string }>('GET', `/knowledge-bases/${base}`)).status)
    .toBe('ready');

  for (const language of ['en', 'zh'] as const) {
    const page = await openPage(browser, server.url, { language, theme: 'light', width: 1440 }, 1.5);
    await citation(page, language);
    await page.screenshot({
      path: join(IMAGES, language === 'en' ? 'answer.png' : `answer-${language}.png`),
    });
    await page.context().close();
  }
  for (const variant of VARIANTS) {
    const page = await openPage(browser, server.url, variant);
    const shoot = (name: string) =>
      page.screenshot({
        path: join(EVERY, `${name}-${variant.language}-${variant.theme}-${variant.width}.png`),
      });
    await citation(page, variant.language);
    await shoot('citation');
    const addresses = {
      new: `/chat?kb=${base}&samples=1`,
      library: '/library',
      documents: `/library/${base}`,
      passages: `/library/${base}/passages`,
      rules: `/library/${base}/rules`,
      access: `/library/${base}/access`,
      search: '/search?q=E-305',
      users: '/admin/users',
      groups: '/admin/groups',
      audit: '/admin/audit',
      models: '/admin/models',
      websearch: '/admin/search',
      profile: '/profile',
    };
    for (const [name, address] of Object.entries(addresses)) {
      await page.goto(address);
      await expect(page.locator('h1').first()).toBeVisible();
      await expect(page.locator('.loading')).toHaveCount(0);
      await shoot(name);
    }
    await page.context().close();
  }
  console.log(`pictures: ${IMAGES} and ${EVERY}`);
});
