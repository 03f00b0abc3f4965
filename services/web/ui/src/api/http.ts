import { CSRF_HEADER, csrfToken } from './csrf';
import { ApiError } from './errors';

export const API_BASE = '/api/v1';

/** Told when a call is answered with "sign in first", so that the page can do so. */
type SignedOutListener = () => void;
let onSignedOut: SignedOutListener = () => undefined;
export function whenSignedOut(listener: SignedOutListener): void {
  onSignedOut = listener;
}

const SAFE_METHODS = new Set(['GET', 'HEAD']);

/** `fetch` with the CSRF header on writes; failures of every kind reject with an `ApiError`. */
export async function call(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (!SAFE_METHODS.has(init.method ?? 'GET')) headers.set(CSRF_HEADER, csrfToken());
  let response: Response;
  try {
    response = await fetch(API_BASE + path, { ...init, headers, credentials: 'same-origin' });
  } catch (cause) {
    // An aborted call is the caller's own wish, not a failure of the network.
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw ApiError.unreachable();
  }
  if (response.ok) return response;
  const error = await ApiError.fromResponse(response);
  if (error.status === 401 && error.code !== 'wrong_credentials') onSignedOut();
  throw error;
}

/** A call whose answer is JSON (or nothing). */
export async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  const response = await call(path, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  });
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
