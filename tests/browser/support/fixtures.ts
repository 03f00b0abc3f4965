import { join } from 'node:path';
import { test as base } from '@playwright/test';
import { Anwen, REPOSITORY } from './anwen';
import { ADMIN, Api } from './api';

export const SAMPLES = join(REPOSITORY, 'samples/library');
export const sample = (name: string) => join(SAMPLES, name);

interface Fixtures {
  /** Calls with the session of the test's own browser. */
  api: Api;
  /** Signs the test's browser in as the administrator, whom it makes when there is none. */
  signedIn: void;
}

/** One server for all tests of a file: it starts empty. */
export const test = base.extend<Fixtures, { server: Anwen }>({
  server: [
    async ({}, use) => {
      const server = await Anwen.start();
      await use(server);
      await server.stop();
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ server }, use) => use(server.url),
  api: async ({ context, server }, use) => use(new Api(context.request, server.url)),
  signedIn: async ({ api }, use) => {
    await api.setUp(ADMIN);
    await api.signIn(ADMIN);
    await use();
  },
});

export { expect } from '@playwright/test';
