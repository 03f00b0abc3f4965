import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const REPOSITORY = resolve(import.meta.dirname, '../../..');

const START_MS = 30_000;
const STOP_MS = 10_000;
const POLL_MS = 100;
/** Log kept to show when something fails. */
const MAX_LOG_CHARS = 20_000;

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** The program under test: `ANWEN_BIN`, or where cargo puts it. */
async function program(): Promise<string> {
  const target = process.env['CARGO_TARGET_DIR'] ?? join(REPOSITORY, 'target');
  const named = process.env['ANWEN_BIN'];
  const candidates = named ? [named] : ['release', 'debug'].map((profile) => join(target, profile, 'anwen'));
  for (const path of candidates) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new Error(`no anwen program at ${candidates.join(' or ')}: build it, or set ANWEN_BIN`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A server with a data directory of its own. */
export class Anwen {
  private log = '';

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    private readonly dataDir: string,
  ) {
    const keep = (text: Buffer) => {
      this.log = (this.log + text.toString()).slice(-MAX_LOG_CHARS);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
  }

  static async start(name: string, settings: Record<string, string> = {}): Promise<Anwen> {
    const dataDir = await mkdtemp(join(tmpdir(), `anwen-browser-${name}-`));
    const [web, knowledge, runtime, search] = await Promise.all([
      freePort(),
      freePort(),
      freePort(),
      freePort(),
    ]);
    const child = spawn(await program(), ['serve', '--data-dir', dataDir], {
      cwd: REPOSITORY,
      env: {
        ...process.env,
        ANWEN__WEB__LISTEN: `127.0.0.1:${web}`,
        ANWEN__KNOWLEDGE__LISTEN: `127.0.0.1:${knowledge}`,
        ANWEN__MODEL_RUNTIME__LISTEN: `127.0.0.1:${runtime}`,
        ANWEN__SEARCH_PROXY__LISTEN: `127.0.0.1:${search}`,
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new Anwen(child, `http://127.0.0.1:${web}`, dataDir);
    try {
      await server.ready();
    } catch (cause) {
      await server.stop();
      throw cause;
    }
    return server;
  }

  private async ready(): Promise<void> {
    for (const deadline = Date.now() + START_MS; Date.now() < deadline; await wait(POLL_MS)) {
      if (this.child.exitCode !== null)
        throw new Error(`anwen ended with ${this.child.exitCode}\n${this.log}`);
      const ready = await fetch(`${this.url}/readyz`).then(
        (response) => response.ok,
        () => false,
      );
      if (ready) return;
    }
    throw new Error(`anwen was not ready within ${START_MS} ms\n${this.log}`);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    }
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
