import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cookieValue } from './csrf';
import { ApiError } from './errors';
import { client, data, whenSignedOut } from './http';

function answering(status: number, body: unknown) {
  const fetched = vi.fn<(request: Request) => Promise<Response>>(() =>
    Promise.resolve(new Response(body === undefined ? null : JSON.stringify(body), { status })),
  );
  vi.stubGlobal('fetch', fetched);
  return fetched;
}

const failure = (code: string) => ({ error: { code, message: 'm', request_id: 'r-1' } });

const list = () => client.GET('/api/v1/chats');
const remove = () => client.DELETE('/api/v1/chats/{id}', { params: { path: { id: '1' } } });

beforeEach(() => vi.stubGlobal('document', { cookie: 'a=1; anwen_csrf=to%20ken; b=2' }));
afterEach(() => {
  vi.unstubAllGlobals();
  whenSignedOut(() => undefined);
});

describe('cookieValue', () => {
  it('finds a cookie by its whole name', () => {
    expect(cookieValue('xanwen_csrf=no; anwen_csrf=a=b', 'anwen_csrf')).toBe('a=b');
    expect(cookieValue('', 'anwen_csrf')).toBeNull();
  });
});

describe('client', () => {
  it('sends the CSRF token with writes alone', async () => {
    const fetched = answering(200, {});
    await list();
    await client.POST('/api/v1/chats', { body: { title: 'x' } });
    const tokens = fetched.mock.calls.map(([request]) => request.headers.get('X-CSRF-Token'));
    expect(tokens).toEqual([null, 'to ken']);
    expect(fetched.mock.calls[1]?.[0].url).toBe('http://localhost/api/v1/chats');
  });

  it('takes an empty answer for nothing', async () => {
    answering(204, undefined);
    expect(await data(remove())).toBeUndefined();
  });

  it('rejects with the code, the message and the request id of the server', async () => {
    answering(404, failure('not_found'));
    const error = await list().catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 'not_found', message: 'm', status: 404, requestId: 'r-1' });
  });

  it('names a failure that is not in the shape of the interface by its status', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('<html>', { status: 502 })));
    await expect(list()).rejects.toMatchObject({ code: 'http_502' });
  });

  it('says when the network fails', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed to fetch')));
    await expect(list()).rejects.toMatchObject({ code: 'unreachable', status: 0 });
  });

  it('tells when the session has ended, but not when a password was wrong', async () => {
    const told = vi.fn();
    whenSignedOut(told);
    answering(401, failure('wrong_credentials'));
    await client
      .POST('/api/v1/auth/login', { body: { username: 'a', password: 'b' } })
      .catch(() => undefined);
    expect(told).not.toHaveBeenCalled();
    answering(401, failure('session_expired'));
    await list().catch(() => undefined);
    expect(told).toHaveBeenCalledOnce();
  });
});
