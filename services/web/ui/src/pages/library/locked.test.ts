import { describe, expect, it } from 'vitest';
import { needsPassword } from './locked';

describe('needsPassword', () => {
  const failed = (code: string) => ({ status: 'failed' as const, error: { code, message: '' } });

  it('asks for files that are locked, and again after a wrong password', () => {
    expect(needsPassword(failed('encrypted'))).toBe(true);
    expect(needsPassword(failed('wrong_password'))).toBe(true);
  });

  it('does not ask for other failures or for documents that were read', () => {
    expect(needsPassword(failed('damaged_file'))).toBe(false);
    expect(needsPassword({ status: 'indexed', error: null })).toBe(false);
  });
});
