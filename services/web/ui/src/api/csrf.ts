/** Writes that rely on the session cookie carry this header with the value of the readable cookie. */
export const CSRF_HEADER = 'X-CSRF-Token';
const CSRF_COOKIE = 'anwen_csrf';

/** The value of a cookie in a `document.cookie` string. */
export function cookieValue(cookies: string, name: string): string | null {
  for (const part of cookies.split(';')) {
    const [key, ...rest] = part.trim().split('=');
    if (key === name) return decodeURIComponent(rest.join('='));
  }
  return null;
}

export function csrfToken(): string {
  return cookieValue(document.cookie, CSRF_COOKIE) ?? '';
}
