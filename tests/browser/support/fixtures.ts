import { join } from 'node:path';
import { test as base, type Page } from '@playwright/test';
import { Anwen, REPOSITORY } from './anwen';
import { ADMIN, Api } from './api';

export const sample = (name: string) => join(REPOSITORY, 'samples/library', name);

interface Fixtures {
  /** Calls as the administrator, who is made when there is none, with the session of the test's browser. */
  adminApi: Api;
  /** The test's browser, signed in as the administrator. */
  adminPage: Page;
}

interface WorkerFixtures {
  /** Names a file's story. Files of different stories never share a server. */
  story: string;
  /** A server that was empty when the story began. */
  server: Anwen;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  story: ['', { scope: 'worker', option: true }],
  server: [
    async ({ story }, use) => {
      const server = await Anwen.start(story);
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ server }, use) => use(server.url),
  adminApi: async ({ context, server }, use) => {
    const api = new Api(context.request, server.url);
    await api.setUp(ADMIN);
    await api.signIn(ADMIN);
    await use(api);
  },
  adminPage: async ({ page, adminApi }, use) => {
    // Asking for the calls' fixture is what signs the browser in.
    void adminApi;
    await use(page);
  },
});

export { expect } from '@playwright/test';
