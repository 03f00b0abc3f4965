import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { it } from 'vitest';

it('the generated API types are those of services/web/openapi.json', () => {
  const script = fileURLToPath(new URL('../../scripts/generate-api.mjs', import.meta.url));
  // Throws with the script's own words when they are stale.
  execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' });
}, 30_000);
