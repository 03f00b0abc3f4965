// A stand-in for the web service, for work on the pages alone: the shapes of the public interface, kept in memory.
// `npm run mock`, then `npm run dev`. EMPTY=1 starts without a user; STATIC=dist serves the build as well.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import * as data from './data.mjs';

const PORT = Number(process.env.PORT ?? 8090);
const STATIC = process.env.STATIC;
const empty = process.env.EMPTY === '1';
let needed = empty;
let bases = empty ? [] : data.bases;
let documents = empty ? [] : data.documents;
let nextId = 100;
const id = (prefix) => `${prefix}${nextId++}`;
const grants = new Map([
  [
    'kb1',
    [
      { principal: 'user:u1', role: 'owner' },
      { principal: 'group:g1', role: 'editor' },
      { principal: 'everyone', role: 'viewer' },
    ],
  ],
]);
const messages = new Map();
const streams = new Map();
let apiKeys = [];
let answering = { default_model: null, web_search: true, instructions: '' };
let modelAccess = { restricted: [] };
let searchRules = data.searchRules;
let chats = empty ? [] : [...data.chats];

const page = (items) => ({ items, next_cursor: null });
const now = () => new Date().toISOString();
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Failure extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
  }
}
const find = (list, wanted) => list.find((item) => item.id === wanted) ?? fail(404, 'not_found');
const fail = (status, code) => {
  throw new Failure(status, code);
};

/** What would leave for a question, by rules as simple as a stand-in needs. */
function outgoing(question) {
  const words = searchRules.organisation_words.filter((word) => question.includes(word));
  const blocked = searchRules.lists
    .filter((list) => list.action === 'block')
    .some((list) => list.words.some((word) => question.includes(word)));
  const kept = words.reduce((text, word) => text.replaceAll(word, ' '), question);
  const query = kept
    .replace(/^(请问|what is |how many )/i, '')
    .replace(/[？?。]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return {
    query: blocked ? '' : query,
    redactions: words.length,
    needs_confirmation: searchRules.confirm_before_sending,
    blocked: blocked || query === '',
  };
}

/** Runs a generation that belongs to the server: its events are kept, and any number of readers follow them. */
function generate(chat, question, web = null) {
  const answer = {
    id: id('m'),
    chat_id: chat.id,
    parent_id: question.id,
    role: 'assistant',
    content: '',
    state: 'running',
    model: 'qwen3-4b-instruct',
    sources: [],
    citations: [],
    outcome: null,
    error: null,
    feedback: null,
    created_at: now(),
  };
  messages.get(chat.id).push(answer);
  const stream = { events: [], ended: false, stopped: false, answer };
  streams.set(answer.id, stream);
  const say = (event, body) => stream.events.push({ id: stream.events.length + 1, event, body });
  const missing = /火星|mars/i.test(question.content);
  const quoted = /quote|摘录/i.test(question.content);
  void (async () => {
    say('message', { id: answer.id, parent_id: question.id });
    for (const [step, more] of [
      ['queued', { position: 2 }],
      ['condensing', {}],
      ['retrieving', {}],
      ...(web
        ? [
            ['searching', web.query ? { detail: web.query } : {}],
            ['reading', {}],
          ]
        : []),
    ]) {
      say('status', { step, ...more });
      await wait(250);
    }
    answer.sources = missing ? data.sources.slice(0, 2) : data.sources;
    const pages = web && !missing && !/nothing/.test(web.query ?? '');
    if (pages) answer.sources = [...answer.sources.slice(0, 2), data.webSource];
    say('sources', { items: answer.sources, dropped: missing ? 0 : 2 });
    say('status', { step: 'generating' });
    await wait(300);
    for (const text of /think|思考/i.test(question.content) ? data.REASONING.match(/[\s\S]{1,4}/g) : []) {
      answer.reasoning = (answer.reasoning ?? '') + text;
      say('reasoning', { text });
      await wait(40);
    }
    for (const text of missing ? [] : (data.ANSWER + (pages ? data.WEB_ANSWER : '')).match(/[\s\S]{1,6}/g)) {
      if (stream.stopped) break;
      answer.content += text;
      say('delta', { text });
      await wait(25);
    }
    say('status', { step: 'verifying' });
    await wait(200);
    answer.citations =
      missing || stream.stopped ? [] : [...data.CITATIONS, ...(pages ? [data.WEB_CITATION] : [])];
    say('citations', { items: answer.citations });
    answer.outcome = stream.stopped ? 'stopped' : missing ? 'not_found' : quoted ? 'quoted' : 'answered';
    answer.state = 'done';
    say('done', {
      message_id: answer.id,
      model: quoted ? 'extractive' : answer.model,
      outcome: answer.outcome,
      grounded: !missing,
      truncated: false,
      cached: false,
      usage: { prompt_tokens: 900, completion_tokens: 120 },
      timings_ms: { total: 2840 },
    });
    stream.ended = true;
  })();
  return stream;
}

async function sendStream(response, stream, after = 0) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  for (let next = after; !response.destroyed;) {
    for (; next < stream.events.length; next += 1) {
      const { id: number, event, body } = stream.events[next];
      response.write(`id: ${number}\nevent: ${event}\ndata: ${JSON.stringify(body)}\n\n`);
    }
    if (stream.ended) break;
    await wait(15);
  }
  response.end();
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

/** Each step of a document's way is told to those who follow its knowledge base. */
const followers = new Set();
async function ingest(document) {
  for (const [status, progress] of [
    ['queued', 0],
    ['parsing', 0.2],
    ['parsing', 0.5],
    ['embedding', 0.8],
    ['indexed', 1],
  ]) {
    Object.assign(document, { status, progress, updated_at: now() });
    for (const tell of followers) tell(document);
    await wait(400);
  }
}

const setState = (name, state) => Object.assign(find(data.models, name), { state });

/** A model that comes in two files. */
async function sendPull(response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  const say = (event, body) => response.write(`event: ${event}\ndata: ${JSON.stringify(body)}\n\n`);
  say('progress', { status: 'pulling manifest' });
  for (const [digest, total] of [
    ['sha256:a', 2_400_000_000],
    ['sha256:b', 12_000_000],
  ]) {
    for (let completed = 0; completed <= total && !response.destroyed; completed += total / 20) {
      say('progress', { status: 'pulling', digest, total, completed });
      await wait(200);
    }
  }
  say('done', {});
  response.end();
}

const routes = [
  ['GET', '/setup', () => ({ needed, token_required: false })],
  ['POST', '/setup', () => ((needed = false), {})],
  ['POST', '/auth/login', ({ json }) => (json.password === 'wrong' ? fail(401, 'wrong_credentials') : {})],
  ['POST', '/auth/logout', () => ({})],
  [
    'GET',
    '/auth/me',
    () => (needed || process.env.SIGNED_OUT ? fail(401, 'unauthenticated') : data.users[0]),
  ],
  ['GET', '/users', () => page(data.users)],
  [
    'POST',
    '/users',
    ({ json }) => (
      data.users.push(data.user(id('u'), json.username, json.display_name, json.role)),
      data.users.at(-1)
    ),
  ],
  ['PATCH', '/users/:id', ({ params, json }) => Object.assign(find(data.users, params.id), json)],
  ['GET', '/groups', () => page(data.groups)],
  [
    'PUT',
    '/groups/:id/members/:user',
    ({ params }) => (find(data.groups, params.id).members.push(params.user), {}),
  ],
  ['GET', '/api-keys', () => page(apiKeys)],
  [
    'POST',
    '/api-keys',
    ({ json }) => {
      const key = { id: id('k'), prefix: 'ak_7Qx2', created_at: now(), last_used_at: null, ...json };
      apiKeys = [...apiKeys, key];
      return { ...key, secret: 'ak_7Qx2mY0rXhJ5tPzV9kLwB3nD6sFqGa1c' };
    },
  ],
  ['GET', '/usage', () => page(data.usage)],
  ['GET', '/settings/answering', () => answering],
  ['PUT', '/settings/answering', ({ json }) => (answering = json)],
  ['GET', '/settings/web_search', () => searchRules],
  ['PUT', '/settings/web_search', ({ json }) => (searchRules = json)],
  ['GET', '/web-search/engines', () => ({ enabled: true, engines: data.engines })],
  [
    'GET',
    '/web-search',
    () => ({
      available: answering.web_search,
      confirm_before_sending: searchRules.confirm_before_sending,
    }),
  ],
  ['POST', '/web-search/outgoing', ({ json }) => outgoing(json.query)],
  ['GET', '/audit', () => page(data.audit)],
  ['GET', '/models', () => page(data.models.filter((item) => item.capabilities.chat))],
  ['GET', '/admin/models', () => ({ models: data.models, memory: data.modelMemory })],
  ['GET', '/admin/models/catalogue', () => ({ ...data.catalogue, pull_enabled: process.env.PULL !== '0' })],
  ['POST', '/admin/models/:name/load', ({ params }) => setState(params.name, 'ready')],
  ['POST', '/admin/models/:name/unload', ({ params }) => setState(params.name, 'available')],
  ['PUT', '/admin/models/:name/pin', ({ params }) => ((find(data.models, params.name).pinned = true), {})],
  [
    'DELETE',
    '/admin/models/:name/pin',
    ({ params }) => ((find(data.models, params.name).pinned = false), {}),
  ],
  [
    'DELETE',
    '/admin/models/:name',
    ({ params }) => (data.models.splice(data.models.indexOf(find(data.models, params.name)), 1), {}),
  ],
  ['GET', '/settings/models', () => modelAccess],
  ['PUT', '/settings/models', ({ json }) => (modelAccess = json)],
  [
    'POST',
    '/samples',
    () => {
      bases = data.bases.slice(0, 1);
      documents = data.documents;
      return { status: 202, json: { knowledge_base_id: 'kb1' } };
    },
  ],
  ['GET', '/knowledge-bases', () => page(bases)],
  [
    'POST',
    '/knowledge-bases',
    ({ json }) => {
      const base = { ...data.bases[0], ...json, id: id('kb'), document_count: 0, chunk_count: 0 };
      bases = [...bases, base];
      return base;
    },
  ],
  ['GET', '/knowledge-bases/:id', ({ params }) => find(bases, params.id)],
  [
    'PATCH',
    '/knowledge-bases/:id',
    ({ params, json }) => {
      const base = find(bases, params.id);
      const recuts = json.chunk_profile && json.chunk_profile !== base.chunk_profile;
      return Object.assign(base, json, recuts ? { documents_to_rechunk: base.document_count } : {});
    },
  ],
  [
    'DELETE',
    '/knowledge-bases/:id',
    ({ params }) => ((bases = bases.filter((item) => item.id !== params.id)), {}),
  ],
  ['GET', '/knowledge-bases/:id/labels', () => data.labels],
  ['PUT', '/knowledge-bases/:id/labels', ({ json }) => json],
  ['GET', '/documents/:id/findings', ({ params }) => ({ ...data.findings, document_id: params.id })],
  [
    'PATCH',
    '/documents/:id',
    ({ params, json }) =>
      Object.assign(find(documents, params.id), {
        labels: (json.labels ?? []).map((name) => ({ name, confidence: 1, corrected: true })),
      }),
  ],
  [
    'GET',
    '/knowledge-bases/:id/grants',
    ({ params }) => grants.get(params.id) ?? [{ principal: 'user:u1', role: 'owner' }],
  ],
  ['PUT', '/knowledge-bases/:id/grants', ({ params, json }) => (grants.set(params.id, json), json)],
  [
    'GET',
    '/knowledge-bases/:id/documents',
    ({ params }) => page(documents.filter((item) => item.knowledge_base_id === params.id)),
  ],
  [
    'POST',
    '/knowledge-bases/:id/documents',
    ({ params, raw }) => {
      const text = raw.toString('utf8');
      const name = /filename="([^"]+)"/.exec(text)?.[1] ?? 'file';
      if (name.includes('bad')) fail(415, 'unsupported_media_type');
      const path = /name="path"\r\n\r\n(.*)\r\n/.exec(text)?.[1] ?? name;
      const document = {
        ...data.documents[3],
        id: id('d'),
        knowledge_base_id: params.id,
        name,
        path,
        bytes: raw.length,
        status: 'queued',
        progress: 0,
      };
      documents = [document, ...documents];
      void ingest(document);
      return { status: 202, json: { documents: [document] } };
    },
  ],
  ['GET', '/documents/:id', ({ params }) => find(documents, params.id)],
  [
    'DELETE',
    '/documents/:id',
    ({ params }) => ((documents = documents.filter((item) => item.id !== params.id)), {}),
  ],
  ['POST', '/documents/:id/retry', ({ params }) => (void ingest(find(documents, params.id)), {})],
  [
    'GET',
    '/documents/:id/chunks',
    ({ params }) => page(data.chunks.filter((item) => item.document_id === params.id)),
  ],
  [
    'POST',
    '/documents/:id/chunk-preview',
    ({ params, json }) => data.preview(find(documents, params.id), json.chunk_profile),
  ],
  ['GET', '/chunks/:id', ({ params }) => find(data.chunks, params.id)],
  ['GET', '/search', () => data.found],
  ['GET', '/chats', () => page(chats)],
  [
    'POST',
    '/chats',
    ({ json }) => {
      const chat = {
        ...data.chats[0],
        ...json,
        id: id('chat'),
        title: '',
        pinned: false,
        created_at: now(),
        updated_at: now(),
      };
      chats = [chat, ...chats];
      return chat;
    },
  ],
  ['GET', '/chats/:id', ({ params }) => find(chats, params.id)],
  ['PATCH', '/chats/:id', ({ params, json }) => Object.assign(find(chats, params.id), json)],
  ['DELETE', '/chats/:id', ({ params }) => ((chats = chats.filter((item) => item.id !== params.id)), {})],
  ['GET', '/chats/:id/messages', ({ params }) => page(messages.get(params.id) ?? [])],
  ['POST', '/chats/:id/messages/:mid/stop', ({ params }) => ((streams.get(params.mid).stopped = true), {})],
  ['PUT', '/chats/:id/messages/:mid/feedback', () => ({})],
];

const streaming = [
  ['POST', '/admin/models/pull', ({ response }) => sendPull(response)],
  [
    'POST',
    '/chats/:id/messages',
    ({ params, json, response }) => {
      const chat = find(chats, params.id);
      const list = messages.get(chat.id) ?? messages.set(chat.id, []).get(chat.id);
      const question = {
        id: id('m'),
        chat_id: chat.id,
        parent_id: json.parent_id ?? null,
        role: 'user',
        content: json.content,
        state: 'done',
        created_at: now(),
      };
      list.push(question);
      chat.title ||= json.content.slice(0, 40);
      return sendStream(
        response,
        generate(chat, question, json.web_search ? { query: json.web_query } : null),
      );
    },
  ],
  [
    'POST',
    '/chats/:id/messages/:mid/regenerate',
    ({ params, response }) => {
      const list = messages.get(params.id);
      const question = find(list, find(list, params.mid).parent_id);
      return sendStream(response, generate(find(chats, params.id), question));
    },
  ],
  [
    'GET',
    '/chats/:id/messages/:mid/stream',
    ({ params, request, response }) =>
      sendStream(
        response,
        streams.get(params.mid) ?? fail(404, 'not_found'),
        Number(request.headers['last-event-id'] ?? 0),
      ),
  ],
  [
    'GET',
    '/events/documents',
    ({ request, response }) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write(': hello\n\n');
      const tell = (document) =>
        response.write(`event: document\ndata: ${JSON.stringify({ document, deleted: false })}\n\n`);
      followers.add(tell);
      request.on('close', () => followers.delete(tell));
    },
  ],
  [
    'GET',
    '/documents/:id/content',
    ({ params, request, response }) => {
      const bytes = data.files[params.id === 'd2' ? 'manual' : 'handbook'];
      const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '');
      const headers = { 'Content-Type': 'application/pdf', 'Accept-Ranges': 'bytes' };
      if (!range) return response.writeHead(200, { ...headers, 'Content-Length': bytes.length }).end(bytes);
      const [from, to] = [Number(range[1]), range[2] ? Number(range[2]) : bytes.length - 1];
      response.writeHead(206, { ...headers, 'Content-Range': `bytes ${from}-${to}/${bytes.length}` });
      response.end(bytes.subarray(from, to + 1));
    },
  ],
];

function match(table, method, path) {
  for (const [wanted, pattern, handler] of table) {
    const names = [...pattern.matchAll(/:(\w+)/g)].map((found) => found[1]);
    const found = new RegExp(`^${pattern.replace(/:\w+/g, '([^/]+)')}$`).exec(path);
    if (wanted === method && found)
      return {
        handler,
        params: Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(found[i + 1])])),
      };
  }
  return null;
}

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

function sendFile(path, response) {
  const wanted = join(STATIC, path);
  const file = existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(STATIC, 'index.html');
  response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(response);
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://localhost');
  if (!url.pathname.startsWith('/api/v1'))
    return STATIC ? sendFile(url.pathname, response) : fail(404, 'route_not_found');
  const path = url.pathname.slice('/api/v1'.length);
  const raw = await body(request);
  const json = request.headers['content-type']?.includes('json')
    ? JSON.parse(raw.toString() || 'null')
    : null;
  const stream = match(streaming, request.method, path);
  if (stream) return stream.handler({ params: stream.params, json, request, response });
  const route = match(routes, request.method, path) ?? fail(404, 'route_not_found');
  const made = await route.handler({ params: route.params, json, raw });
  const { status = 200, json: sent = made } = made?.json ? made : { json: made };
  response.writeHead(status, { 'Content-Type': 'application/json', 'Set-Cookie': 'anwen_csrf=mock; Path=/' });
  response.end(JSON.stringify(sent));
}

createServer((request, response) => {
  answer(request, response).catch((cause) => {
    const status = cause instanceof Failure ? cause.status : 500;
    if (status === 500) console.error(cause);
    if (response.headersSent) return response.end();
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(
      JSON.stringify({ error: { code: cause.message, message: cause.message, request_id: 'req-mock' } }),
    );
  });
}).listen(PORT, '127.0.0.1', () => console.log(`mock on http://127.0.0.1:${PORT}`));
