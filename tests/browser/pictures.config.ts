import { defineConfig } from '@playwright/test';
import tests from './playwright.config';

/** Not tests: pictures of the running app, for the guide and for looking at. */
export default defineConfig({ ...tests, testDir: 'pictures', timeout: 300_000 });
