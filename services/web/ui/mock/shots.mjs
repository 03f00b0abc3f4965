// Pictures of every page against the mock server, for looking at: `npm run build && node mock/shots.mjs FOLDER`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const out = process.argv[2] ?? '/tmp/anwen-shots';
const only = process.argv[3];
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

async function serve(port, env = {}) {
  const child = spawn(process.execPath, [here('server.mjs')], {
    env: { ...process.env, PORT: String(port), STATIC: here('../dist'), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

const QUESTION = { zh: '年假有几天？出差住宿标准是多少？', en: 'How many days of annual leave are there?' };

const pages = {
  setup: async (page) => page.goto('http://127.0.0.1:8092/'),
  login: async (page) => page.goto('http://127.0.0.1:8093/'),
  start: async (page) => {
    await page.goto('http://127.0.0.1:8092/');
    await page.getByRole('textbox').first().fill('林安');
    await page.getByRole('textbox').nth(1).fill('admin');
    await page.locator('input[type=password]').fill('a long password');
    await page.locator('button[type=submit]').click();
    await page.locator('.start').waitFor();
  },
  new: async (page) => page.goto('http://127.0.0.1:8091/chat'),
  streaming: async (page, { language }) => {
    await page.goto('http://127.0.0.1:8091/chat');
    await page.locator('textarea').fill(QUESTION[language]);
    await page.keyboard.press('Enter');
    await page.locator('.prose').waitFor();
  },
  answer: async (page, context) => {
    await pages.streaming(page, context);
    await page.locator('.answer-footer').waitFor();
  },
  citation: async (page, context) => {
    await pages.answer(page, context);
    await page.locator('.chip').first().click();
    await page.locator('.pdf-mark').first().waitFor();
    await page.locator('.pdf-page canvas[data-drawn]').first().waitFor();
  },
  text: async (page, context) => {
    await pages.answer(page, context);
    await page.locator('.prose .chip', { hasText: '2' }).first().click();
    await page.locator('.text-marked').waitFor();
  },
  missing: async (page) => {
    await page.goto('http://127.0.0.1:8091/chat');
    await page.locator('textarea').fill('火星上的食堂几点开门？');
    await page.keyboard.press('Enter');
    await page.locator('.answer-footer').waitFor();
  },
  quoted: async (page) => {
    await page.goto('http://127.0.0.1:8091/chat');
    await page.locator('textarea').fill('摘录年假规定');
    await page.keyboard.press('Enter');
    await page.locator('.answer-footer').waitFor();
  },
  outgoing: async (page) => {
    await page.goto('http://127.0.0.1:8091/chat');
    await page.locator('.web-toggle').click();
    await page.locator('.composer textarea').fill('请问启明星计划的员工年假有几天，按法律最少几天？');
    await page.keyboard.press('Enter');
    await page.locator('.outgoing .input').waitFor();
  },
  outgoingblocked: async (page) => {
    await pages.outgoing(page);
    await page.locator('.outgoing .input').fill('并购');
    await page.keyboard.press('Enter');
    await page.locator('.outgoing-blocked').waitFor();
  },
  websource: async (page) => {
    await pages.outgoing(page);
    await page.keyboard.press('Enter');
    await page.locator('.answer-footer').waitFor();
    await page.locator('.source-card', { has: page.locator('[role=img]') }).click();
    await page.locator('.web-passage').waitFor();
  },
  webvain: async (page) => {
    await pages.outgoing(page);
    await page.locator('.outgoing .input').fill('nothing');
    await page.keyboard.press('Enter');
    await page.locator('.answer-footer').waitFor();
  },
  models: async (page) => {
    await page.goto('http://127.0.0.1:8091/admin/models');
    await page.locator('.family').first().waitFor();
  },
  modelspull: async (page) => {
    await pages.models(page);
    await page.locator('.model-pull input').first().fill('qwen3:8b');
    await page.keyboard.press('Enter');
    await page.locator('.model-tasks .progress').waitFor();
  },
  modelscatalogue: async (page) => {
    await pages.models(page);
    await page.locator('.model-file-buttons').scrollIntoViewIfNeeded();
  },
  modelsmenu: async (page) => {
    await pages.models(page);
    await page.locator('.model-table .actions button').nth(1).click();
    await page.locator('.menu').waitFor();
  },
  modelsaccess: async (page) => {
    await pages.modelsmenu(page);
    await page.locator('.menu-item', { hasText: /Who may|谁可以/ }).click();
    await page.locator('.dialog .segmented button').nth(1).click();
    await page.locator('.dialog .check').first().waitFor();
  },
  modelpicker: async (page) => {
    await page.goto('http://127.0.0.1:8091/chat');
    await page.locator('.picker').nth(1).click();
    await page.locator('.model-item').first().waitFor();
  },
  thinking: async (page) => {
    await page.goto('http://127.0.0.1:8091/chat');
    await page.locator('textarea').fill('请思考：年假有几天？');
    await page.keyboard.press('Enter');
    await page.locator('.reasoning').waitFor();
  },
  websearch: async (page) => {
    await page.goto('http://127.0.0.1:8091/admin/search');
    await page.locator('.save-bar').waitFor();
  },
  websearchrules: async (page) => {
    await pages.websearch(page);
    const areas = page.locator('.words-field textarea');
    await areas.first().fill('凌云计划\nFalcon\n' + '长'.repeat(70));
    await page.locator('.site-lists textarea').first().fill('not a site');
    await page.locator('.save-bar .button-primary').click();
    await page.locator('.field-error').first().waitFor();
  },
  websearchsites: async (page) => {
    await pages.websearchrules(page);
    await page.locator('.site-lists').scrollIntoViewIfNeeded();
    await page.locator('.safe-search').scrollIntoViewIfNeeded();
  },
  library: async (page) => page.goto('http://127.0.0.1:8091/library'),
  dialog: async (page) => {
    await page.goto('http://127.0.0.1:8091/library');
    await page.locator('.page-head .button-primary').click();
  },
  documents: async (page) => page.goto('http://127.0.0.1:8091/library/kb1'),
  uploading: async (page) => {
    await page.goto('http://127.0.0.1:8091/library/kb1');
    const file = (name) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(name.repeat(9)) });
    await page
      .locator('input[type=file]')
      .first()
      .setInputFiles(['a.md', '年度总结.docx', 'bad.exe'].map(file));
    await page.locator('.upload-failed').waitFor();
  },
  passages: async (page) => {
    await page.goto('http://127.0.0.1:8091/library/kb1/passages');
    await page.locator('input[value=table]').check();
    await page.locator('.side').nth(1).waitFor();
  },
  recut: async (page) => {
    await pages.passages(page);
    await page.locator('.passages-apply button').click();
    await page.locator('.dialog').waitFor();
  },
  compared: async (page) => {
    await pages.passages(page);
    await page.locator('.comparison').scrollIntoViewIfNeeded();
    await page.locator('.side').nth(1).locator('li').nth(2).scrollIntoViewIfNeeded();
  },
  rules: async (page) => {
    await page.goto('http://127.0.0.1:8091/library/kb1/rules');
    await page.locator('.labels li').first().waitFor();
  },
  findings: async (page) => {
    await page.goto('http://127.0.0.1:8091/library/kb1');
    await page.locator('button.badge-warn').first().click();
    await page.locator('.findings tr').first().waitFor();
  },
  labelling: async (page) => {
    await page.goto('http://127.0.0.1:8091/library/kb1');
    await page.locator('.sign-edit').first().click();
    await page.locator('.dialog .kinds').waitFor();
  },
  access: async (page) => page.goto('http://127.0.0.1:8091/library/kb1/access'),
  document: async (page) => {
    await page.goto('http://127.0.0.1:8091/documents/d2?chunk=c2');
    await page.locator('.pdf-page canvas[data-drawn]').first().waitFor();
  },
  search: async (page) => page.goto('http://127.0.0.1:8091/search?q=E07'),
  users: async (page) => page.goto('http://127.0.0.1:8091/admin/users'),
  groups: async (page) => page.goto('http://127.0.0.1:8091/admin/groups'),
  usage: async (page) => page.goto('http://127.0.0.1:8091/admin/usage'),
  settings: async (page) => page.goto('http://127.0.0.1:8091/admin/settings'),
  audit: async (page) => page.goto('http://127.0.0.1:8091/admin/audit'),
  profile: async (page) => page.goto('http://127.0.0.1:8091/profile'),
  drawer: async (page) => {
    await page.goto('http://127.0.0.1:8091/chat');
    const button = page.locator('.topbar button');
    if (await button.isVisible()) await button.click();
  },
  nowhere: async (page) => page.goto('http://127.0.0.1:8091/nowhere'),
};

await mkdir(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
const variants = (process.env.VARIANTS ?? 'zh-light-1440 en-dark-1440 zh-dark-390 en-light-390').split(' ');
for (const variant of variants) {
  const [language, theme, width] = variant.split('-');
  const servers = await Promise.all([
    serve(8091),
    serve(8092, { EMPTY: '1' }),
    serve(8093, { SIGNED_OUT: '1' }),
  ]);
  for (const [name, open] of Object.entries(pages)) {
    if (only && !only.split(',').includes(name)) continue;
    const context = await browser.newContext({
      viewport: { width: Number(width), height: width === '390' ? 844 : 900 },
      colorScheme: theme,
      locale: language === 'zh' ? 'zh-CN' : 'en',
    });
    const page = await context.newPage();
    page.on(
      'console',
      (message) =>
        ['error', 'warning'].includes(message.type()) &&
        console.log(variant, name, message.text().slice(0, 300)),
    );
    page.on('pageerror', (error) => console.log(variant, name, error.message));
    page.setDefaultTimeout(10_000);
    try {
      await open(page, { language });
      await page.waitForTimeout(500);
    } catch (error) {
      console.log('FAILED', variant, name, error.message.split('\n')[0]);
    }
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (overflow > 0) console.log(variant, name, `overflows by ${overflow}px`);
    await page.screenshot({ path: `${out}/${name}-${variant}.png` });
    await context.close();
  }
  for (const server of servers) server.kill();
}
await browser.close();
