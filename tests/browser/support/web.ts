import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const PAGE = `<!doctype html><html lang="en"><head><title>Pump seal intervals</title></head><body>
<nav>Home News Shop</nav><article><h1>Pump seal intervals</h1>
<p>Every manufacturer names an interval after which the seals of a dewatering pump are looked at, and most of
them name the same. This page collects what they say about pumps of the usual sizes.</p>
<p>The mechanical seal of a dewatering pump is replaced every 4000 hours of operation, or after three years.</p>
<p>Whoever pumps sand halves that. A seal that drips once a minute is not broken; one that drips every second
is.</p></article></body></html>`;

/** A search engine in SearXNG's shape and the page that it finds, on one port of this machine. */
export class StandInWeb {
  /** What it was asked, in order. */
  readonly asked: string[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<StandInWeb> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const web = new StandInWeb(server, url);
    server.on('request', (request, response) => {
      const asked = new URL(request.url ?? '/', url);
      if (asked.pathname === '/search') {
        web.asked.push(asked.searchParams.get('q') ?? '');
        const result = {
          url: `${url}/seals?utm_source=engine`,
          title: 'Pump seal intervals',
          content: 'What manufacturers say about the seals of pumps.',
        };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ results: [result] }));
      } else if (asked.pathname === '/seals') {
        response.setHeader('content-type', 'text/html; charset=utf-8');
        response.end(PAGE);
      } else {
        response.statusCode = 404;
        response.end();
      }
    });
    return web;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  /** The settings of a server that searches here. */
  get settings(): Record<string, string> {
    return {
      ANWEN__SEARCH_PROXY__UPSTREAM_URL: `${this.url}/`,
      ANWEN__SEARCH_PROXY__ALLOWED_NETWORKS: '["127.0.0.0/8"]',
    };
  }
}
