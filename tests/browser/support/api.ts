import { expect, type APIRequestContext } from '@playwright/test';

export interface Account {
  username: string;
  password: string;
  display_name: string;
}

export const ADMIN: Account = {
  username: 'admin',
  password: 'correct horse battery',
  display_name: 'Ada Admin',
};
export const GUEST: Account = {
  username: 'guest',
  password: 'quiet river stones',
  display_name: 'Gus Guest',
};

const API = '/api/v1';

/** Calls of the public interface with a browser's own session. */
export class Api {
  constructor(
    private readonly request: APIRequestContext,
    private readonly url: string,
  ) {}

  async send<T = unknown>(method: string, path: string, data?: unknown): Promise<T> {
    const response = await this.request.fetch(`${this.url}${API}${path}`, {
      method,
      headers: { 'X-CSRF-Token': await this.csrf() },
      ...(data === undefined ? {} : { data }),
    });
    expect(response.ok(), `${method} ${path}: ${response.status()} ${await response.text()}`).toBe(true);
    const text = await response.text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async setUp(account: Account): Promise<void> {
    const { needed } = await this.send<{ needed: boolean }>('GET', '/setup');
    if (needed) await this.send('POST', '/setup', account);
  }

  async signIn({ username, password }: Account): Promise<void> {
    await this.send('POST', '/auth/login', { username, password });
  }

  /** Waits until every document of a knowledge base has come to rest. */
  async settled(knowledgeBase: string, count: number): Promise<{ name: string; status: string }[]> {
    const list = () =>
      this.send<{ items: { name: string; status: string }[] }>(
        'GET',
        `/knowledge-bases/${knowledgeBase}/documents?limit=200`,
      );
    await expect
      .poll(async () => (await list()).items.filter((item) => /indexed|failed/.test(item.status)).length, {
        timeout: 45_000,
      })
      .toBe(count);
    return (await list()).items;
  }

  private async csrf(): Promise<string> {
    const { cookies } = await this.request.storageState();
    return cookies.find((cookie) => cookie.name === 'anwen_csrf')?.value ?? '';
  }
}
