import createClient, { type Middleware } from 'openapi-fetch';
import { CSRF_HEADER, csrfToken } from './csrf';
import { ApiError } from './errors';
import type { paths } from './schema';

export const API_BASE = '/api/v1';

/** Told when a call is answered with "sign in first", so that the page can do so. */
type SignedOutListener = () => void;
let onSignedOut: SignedOutListener = () => undefined;
export function whenSignedOut(listener: SignedOutListener): void {
  onSignedOut = listener;
}

const SAFE_METHODS = new Set(['GET', 'HEAD']);

/** Puts the CSRF token on writes, and makes an `ApiError` of every failure. */
const conventions: Middleware = {
  onRequest({ request }) {
    if (!SAFE_METHODS.has(request.method)) request.headers.set(CSRF_HEADER, csrfToken());
    return request;
  },
  async onResponse({ response }) {
    if (response.ok) return;
    const error = await ApiError.fromResponse(response);
    if (error.status === 401 && error.code !== 'wrong_credentials') onSignedOut();
    throw error;
  },
  onError({ error }) {
    // An aborted call is the caller's own wish, not a failure of the network.
    if (error instanceof DOMException && error.name === 'AbortError') return error;
    return ApiError.unreachable();
  },
};

/** The client of the public interface, typed by its OpenAPI document. */
export const client = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? 'http://localhost',
  credentials: 'same-origin',
  fetch: (request) => fetch(request),
});
client.use(conventions);

/** The data of a call that succeeded; one that did not has been thrown by then. */
export async function data<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}

/** The answer of a call whose body is read as it comes. */
export async function stream(call: Promise<{ response: Response }>): Promise<Response> {
  return (await call).response;
}
