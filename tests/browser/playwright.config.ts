import { defineConfig } from '@playwright/test';
import { CHROMIUM, CHROMIUM_FLAGS } from './support/browser';

/** The whole suite stays under three minutes; a test that hangs must not use them up. */
const TEST_MS = 60_000;
const EXPECT_MS = 15_000;

export default defineConfig({
  testDir: 'journeys',
  outputDir: 'test-results',
  timeout: TEST_MS,
  expect: { timeout: EXPECT_MS },
  // Each worker runs a server of its own; two cores feed no more than one.
  workers: 1,
  reporter: 'list',
  use: {
    browserName: 'chromium',
    viewport: { width: 1440, height: 900 },
    locale: 'en',
    launchOptions: { executablePath: CHROMIUM, args: CHROMIUM_FLAGS },
    screenshot: 'only-on-failure',
  },
});
