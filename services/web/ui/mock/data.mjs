// What the mock server begins with.
import { makePdf } from './pdf.mjs';

const LINE_HEIGHT = 20;

function sheet(title, lines) {
  return [
    { x: 72, y: 90, size: 20, text: title },
    ...lines.map((text, index) => ({ x: 72, y: 140 + index * LINE_HEIGHT, size: 12, text })),
  ];
}

const filler = (n) => `Section ${n}: this line stands for the rest of the page and says little.`;

const handbook = makePdf([
  sheet('Employee Handbook', [1, 2, 3, 4, 5, 6].map(filler)),
  sheet('Working hours', [7, 8, 9].map(filler)),
  sheet('Leave', [
    filler(10),
    'Employees with less than ten years of service have ten days of paid annual leave.',
    'From the tenth year on it is fifteen days. Unused days can be carried over until March.',
    filler(11),
  ]),
  ...[4, 5, 6, 7, 8].map((n) =>
    sheet(
      `Chapter ${n}`,
      Array.from({ length: 20 }, (_, i) => filler(n * 10 + i)),
    ),
  ),
]);

const manual = makePdf([
  sheet('空压机使用手册', ['本手册适用于 KX-200 型空气压缩机。', '使用前请仔细阅读安全须知。']),
  sheet('故障代码', ['E07 表示排气温度过高，应立即停机并检查冷却风扇。', '额定压力为四十巴，不得超压运行。']),
]);

export const files = { handbook, manual };

const now = Date.now();
const ago = (minutes) => new Date(now - minutes * 60_000).toISOString();

export const user = (id, username, display_name, role = 'user') => ({
  id,
  username,
  display_name,
  role,
  disabled: id === 'u4',
  groups: id === 'u2' ? ['g1'] : [],
  created_at: ago(90_000),
  last_login_at: id === 'u3' ? null : ago(50),
});

export const users = [
  user('u1', 'admin', '林安', 'admin'),
  user('u2', 'chen.wen', '陈雯'),
  user('u3', 'j.fischer', 'Jonas Fischer'),
  user('u4', 'wang.li', '王力'),
];

export const groups = [
  { id: 'g1', name: '维修部', description: '设备维护与点检', members: ['u2', 'u3'], created_at: ago(9_000) },
  { id: 'g2', name: 'Human resources', description: '', members: [], created_at: ago(9_000) },
];

const base = (id, name, description, document_count, chunk_count, status = 'ready', my_role = 'owner') => ({
  id,
  name,
  description,
  language: 'auto',
  document_count,
  chunk_count,
  chunk_profile: 'general',
  documents_to_rechunk: 0,
  desensitisation: { mode: 'mask', kinds: [], words: my_role === 'viewer' ? [] : ['启明星计划', 'Falcon'] },
  status,
  my_role,
  created_at: ago(9_000),
  updated_at: ago(40),
});

export const bases = [
  base('kb1', '示例公司资料', '员工手册、设备手册、价目表与制度备忘，中英文各半。', 6, 184),
  base(
    'kb2',
    'Equipment manuals',
    'Operation and maintenance of everything on the shop floor.',
    128,
    9_432,
    'indexing',
  ),
  base('kb3', '制度文件', '', 41, 2_210, 'ready', 'viewer'),
];

const document = (id, name, media_type, more = {}) => ({
  id,
  knowledge_base_id: 'kb1',
  name,
  path: name,
  media_type,
  bytes: 184_320,
  pages: null,
  status: 'indexed',
  progress: 1,
  error: null,
  warnings: [],
  version: 1,
  chunk_count: 31,
  finding_count: 0,
  near_duplicate_of: null,
  labels: [],
  created_at: ago(200),
  updated_at: ago(200),
  ...more,
});

const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

export const documents = [
  document('d1', 'Employee Handbook.pdf', 'application/pdf', {
    pages: 8,
    bytes: handbook.length,
    finding_count: 3,
    labels: [{ name: '制度', confidence: 0.83, corrected: false }],
  }),
  document('d2', '空压机使用手册.pdf', 'application/pdf', {
    pages: 2,
    bytes: manual.length,
    path: '设备/空压机使用手册.pdf',
    near_duplicate_of: { document_id: 'd1', similarity: 0.914 },
    labels: [{ name: '设备手册', confidence: 1, corrected: true }],
  }),
  document('d3', '差旅报销制度.docx', DOCX, {
    path: '制度/差旅报销制度.docx',
    warnings: [{ code: 'images_skipped', message: '3 pictures hold no text and were left out' }],
  }),
  document('d4', 'Price list 2026.html', 'text/html', { bytes: 9_120 }),
  document('d5', '年度预算（加密）.pdf', 'application/pdf', {
    status: 'failed',
    error: { code: 'encrypted', message: 'the file needs a password' },
    progress: 0.2,
    chunk_count: 0,
  }),
  document('d6', 'Maintenance log.md', 'text/markdown', {
    status: 'embedding',
    progress: 0.62,
    bytes: 1_244_000,
  }),
];

const line = (page, row, x1 = 500) => ({
  page,
  x0: 72,
  y0: 128 + row * LINE_HEIGHT,
  x1,
  y1: 143 + row * LINE_HEIGHT,
});

const chunk = (id, document_id, ordinal, text, heading_path, page, boxes) => ({
  id,
  document_id,
  knowledge_base_id: 'kb1',
  ordinal,
  text,
  page_start: page,
  page_end: page,
  heading_path,
  boxes,
  tokens: 60,
  version: 1,
});

const travel = ['适用范围', '交通标准', '住宿标准', '餐饮补贴', '报销流程', '例外情形'];

export const chunks = [
  chunk(
    'c1',
    'd1',
    0,
    'Employees with less than ten years of service have ten days of paid annual leave. From the tenth year on it is fifteen days. Unused days can be carried over until March.',
    ['Leave'],
    3,
    [line(3, 1), line(3, 2)],
  ),
  chunk(
    'c2',
    'd2',
    0,
    'E07 表示排气温度过高，应立即停机并检查冷却风扇。额定压力为四十巴，不得超压运行。',
    ['故障代码'],
    2,
    [line(2, 0, 400), line(2, 1, 350)],
  ),
  ...travel.map((title, index) =>
    chunk(
      `c3${index}`,
      'd3',
      index,
      `${title}：员工因公出差的，应在出差前填写申请单，经部门负责人批准后执行。一线城市住宿标准为每晚不超过五百元，其他城市不超过三百五十元。超出部分由个人承担，特殊情况须附书面说明。`,
      ['差旅报销制度', title],
      null,
      [],
    ),
  ),
];

export const sources = [
  {
    n: 1,
    kind: 'document',
    chunk_id: 'c1',
    document_id: 'd1',
    document_name: 'Employee Handbook.pdf',
    knowledge_base_id: 'kb1',
    page_start: 3,
    page_end: 3,
    boxes: [line(3, 1), line(3, 2)],
    title: 'Employee Handbook.pdf',
    excerpt: chunks[0].text,
    score: 1.42,
    version: 1,
    as_of: ago(200),
  },
  {
    n: 2,
    kind: 'document',
    chunk_id: 'c32',
    document_id: 'd3',
    document_name: '差旅报销制度.docx',
    knowledge_base_id: 'kb1',
    title: '差旅报销制度.docx',
    excerpt: chunks[4].text,
    score: 0.97,
    version: 1,
    as_of: ago(200),
  },
  {
    n: 3,
    kind: 'document',
    chunk_id: 'c2',
    document_id: 'd2',
    document_name: '空压机使用手册.pdf',
    knowledge_base_id: 'kb1',
    page_start: 2,
    page_end: 2,
    boxes: [line(2, 0, 400), line(2, 1, 350)],
    title: '空压机使用手册.pdf',
    excerpt: chunks[1].text,
    score: 0.88,
    version: 1,
    as_of: ago(200),
  },
];

export const ANSWER =
  '正式员工每年有 **10 天带薪年假** [1]，工作满十年后增加到 15 天 [1]。未休完的天数可以结转到次年三月 [1]。\n\n' +
  '与出差有关的规定如下：\n\n' +
  '| 城市 | 每晚上限 |\n| --- | --- |\n| 一线城市 | 500 元 [2] |\n| 其他城市 | 350 元 [2] |\n\n' +
  '- 超出部分由个人承担 [2]。\n- 出差期间的设备点检由同事代为完成 [3]。';

export const CITATIONS = [
  {
    n: 1,
    sentence: '正式员工每年有 10 天带薪年假 [1]，工作满十年后增加到 15 天 [1]。',
    supported: true,
    score: 0.93,
    boxes: [line(3, 1)],
  },
  { n: 2, sentence: '超出部分由个人承担 [2]。', supported: true, score: 0.8, boxes: [] },
  { n: 3, sentence: '出差期间的设备点检由同事代为完成 [3]。', supported: false, score: 0.12, boxes: [] },
];

export const REASONING =
  '问题问的是年假天数和住宿标准。第一份资料写明工作满一年后有 15 天；第二份资料写明住宿上限。先回答天数，再回答标准，并注明出处。';

export const models = [
  {
    id: 'extractive',
    engine: 'extractive',
    capabilities: { chat: true, quotes: true },
    state: 'ready',
    context_tokens: 0,
  },
  {
    id: 'qwen3-4b-instruct',
    engine: 'llamacpp',
    capabilities: { chat: true, tools: true, thinking: true },
    state: 'ready',
    context_tokens: 8192,
    size_bytes: 2_497_000_000,
    parameter_size: '4.0B',
    quantization: 'Q4_K_M',
    memory_bytes: 3_260_000_000,
    pinned: false,
    expires_at: new Date(Date.now() + 300_000).toISOString(),
    queue: { running: 3, waiting: 2, capacity: 64 },
  },
  {
    id: 'gemma-3-12b-it',
    engine: 'mistralrs',
    capabilities: { chat: true, vision: true },
    state: 'available',
    context_tokens: 131_072,
    size_bytes: 7_300_000_000,
    parameter_size: '12.2B',
    quantization: 'Q4_K_M',
    needed_bytes: 9_800_000_000,
    pinned: false,
  },
  {
    id: 'deepseek-r1-distill-qwen-14b',
    engine: 'llamacpp',
    capabilities: { chat: true, thinking: true },
    state: 'failed',
    context_tokens: 131_072,
    size_bytes: 8_990_000_000,
    parameter_size: '14.8B',
    quantization: 'Q4_K_M',
    needed_bytes: 41_000_000_000,
    pinned: false,
    error: 'it needs 38 GB of memory for a context of 131072; 20 GB can be had. Ask for a shorter context',
  },
  {
    id: 'qwen3-embedding-0.6b',
    engine: 'llamacpp',
    capabilities: { embed: true },
    state: 'loading',
    context_tokens: 32_768,
    size_bytes: 639_000_000,
    parameter_size: '0.6B',
    quantization: 'Q8_0',
    pinned: true,
  },
];

export const modelMemory = { total_bytes: 33_500_000_000, available_bytes: 21_400_000_000 };

const GB = 1_000_000_000;
const entry = (name, title, family, parameter_size, memory, capabilities, license, more = {}) => ({
  name,
  title,
  family,
  sources: [name.replace(/-(?=[^-]*$)/, ':'), `hf.co/maker/${title}-GGUF`, `modelscope.cn/maker/${title}`],
  parameter_size,
  memory_bytes: { Q4_K_M: memory * GB, Q8_0: memory * 1.8 * GB },
  context_tokens: 32_768,
  languages: ['zh', 'en'],
  license,
  capabilities,
  installed: false,
  ...more,
});
export const catalogue = {
  pull_enabled: true,
  models: [
    entry('qwen3-4b', 'Qwen3-4B', 'Qwen3', '4.0B', 3.3, ['chat', 'thinking'], 'Apache-2.0', {
      installed: true,
    }),
    entry('qwen3-30b', 'Qwen3-30B-A3B', 'Qwen3', '30.5B', 23.4, ['chat', 'thinking'], 'Apache-2.0'),
    entry('llama3.3-70b', 'Llama-3.3-70B-Instruct', 'Llama 3', '70.6B', 49, ['chat'], 'Llama-3.3', {
      languages: ['en'],
    }),
    entry('bge-m3', 'BGE-M3', 'BGE', '568M', 1.5, ['embed'], 'MIT', { sources: ['hf.co/BAAI/bge-m3'] }),
  ],
};

export const chats = [
  { title: '年假与出差住宿标准', minutes: 3 },
  { title: 'What does error E07 mean?', minutes: 60 * 26 },
  { title: '空压机的点检周期', minutes: 60 * 50 },
  { title: 'Prices for spare filters in 2026', minutes: 60 * 24 * 20 },
].map(({ title, minutes }, index) => ({
  id: `chat${index + 1}`,
  title,
  model: null,
  knowledge_base_ids: [],
  web_search: false,
  folder_id: null,
  archived: false,
  pinned: index === 2,
  created_at: ago(minutes),
  updated_at: ago(minutes),
}));

export const audit = [
  'chat.asked',
  'document.uploaded',
  'knowledge_base.granted',
  'user.created',
  'session.created',
].map((action, index) => ({
  sequence: 5 - index,
  id: `a${index}`,
  at: ago(index * 50),
  actor: 'u1',
  actor_name: 'admin',
  action,
  object: `${action.split('.')[0]}:0198c0de-0000-7000-8000-00000000000${index}`,
  detail: {},
  address: '127.0.0.1',
}));

const parts = (text, word) =>
  text.split(new RegExp(`(${word})`)).map((part) => ({ text: part, matched: part === word }));

export const found = {
  documents: sources.map((source) => ({
    chunk_id: source.chunk_id,
    document_id: source.document_id,
    document_name: source.document_name,
    page_start: source.page_start ?? null,
    heading_path: ['故障代码'],
    snippet: parts(source.excerpt, '标准'),
    cut_before: false,
    cut_after: true,
  })),
  chats: [
    {
      chat_id: 'chat1',
      title: '年假与出差住宿标准',
      message_id: 'm1',
      snippet: parts('出差住宿标准是多少？', '标准'),
      created_at: ago(3),
    },
  ],
};

export const usage = Array.from({ length: 20 }, (_, index) => ({
  day: ago(index * 1440).slice(0, 10),
  user_id: index % 3 ? 'u1' : 'u2',
  username: index % 3 ? 'admin' : 'chen.wen',
  answers: 4 + ((index * 7) % 13),
  prompt_tokens: 9_000,
  completion_tokens: 1_200,
}));

const PRICES = [
  ['PT-210', '压力变送器', '0~1.0 MPa', '4~20 mA', '720'],
  ['PT-210', '压力变送器', '0~1.6 MPa', '4~20 mA', '740'],
  ['PT-230', '防爆压力变送器', '0~1.6 MPa', 'RS485', '1460'],
  ['DP-310', '差压变送器', '0~2.5 MPa', '4~20 mA', '2245'],
];
const table = (rows) =>
  ['| 型号 | 名称 | 量程 | 输出信号 | 单价(元) |', '|---|---|---|---|---|']
    .concat(rows.map((cells) => `| ${cells.join(' | ')} |`))
    .join('\n');

/** A document's passages before and after, the same for every document. */
export function preview(item, profile) {
  const passage = (ordinal, text, heading_path, tokens) => ({
    ordinal,
    text,
    heading_path,
    tokens,
    page_start: 1 + Math.floor(ordinal / 3),
    page_end: 1 + Math.floor(ordinal / 3),
  });
  const lead = '本价格表自2026年1月1日起执行，含税，不含运费。年度采购额超过五十万元的客户按框架协议价结算。';
  const side = (chunk_profile, chunks, chunk_count, median_tokens) => ({
    chunk_profile,
    chunks,
    chunk_count,
    median_tokens,
  });
  const rows = PRICES.map((row, at) => passage(at + 1, table([row]), ['压力仪表', '表 1 压力变送器'], 44));
  const general = [
    passage(0, lead, ['压力仪表'], 58),
    passage(1, table(PRICES), ['压力仪表', '表 1 压力变送器'], 132),
  ];
  return {
    document_id: item.id,
    knowledge_base_id: item.knowledge_base_id,
    version: 1,
    current: side('general', general, 31, 128),
    proposed:
      profile === 'general'
        ? side('general', general, 31, 128)
        : side(profile, [general[0], ...rows], 118, 46),
  };
}

export const labels = [
  { name: '制度', description: '员工须遵守的规定：休假、报销、考勤。', examples: ['年假为每年十五天。'] },
  { name: '设备手册', description: 'How machines are operated and maintained.', examples: [] },
];

export const findings = {
  version: 1,
  counts: { phone: 1, email: 1, word: 1 },
  truncated: false,
  items: [
    { kind: 'phone', page: 3, block: 12, offset: 18, sample: '13*******78' },
    { kind: 'email', page: 5, block: 30, offset: 4, sample: 'z***@example.com' },
    { kind: 'word', page: null, offset: 0, sample: '启****' },
  ],
};

export const searchRules = {
  allowed_groups: ['g1'],
  confirm_before_sending: true,
  send_whole_question: false,
  organisation_words: ['启明星计划', 'Falcon', '林安'],
  lists: [
    { category: '商业秘密', direction: 'outgoing', action: 'block', words: ['并购', '重组'], pinyin: true },
    {
      category: 'advertising',
      direction: 'incoming',
      action: 'flag',
      words: ['buy now', '限时'],
      pinyin: false,
    },
  ],
  sites: { allow: [], block: ['spam.example'], prefer: [{ site: 'gov.cn', weight: 2 }] },
  safe_search: 'moderate',
};

const engine = (name, kind, more) => ({
  name,
  kind,
  state: 'ok',
  requests: 1_240,
  failures: 0,
  skipped: 0,
  p50_ms: 312.4,
  p95_ms: 890.1,
  mean_results: 8.3,
  last_success_at: ago(3),
  ...more,
});

export const engines = [
  engine('bocha', 'bocha', {}),
  engine('wiki', 'json', { p50_ms: 85, p95_ms: 140, failures: 2, last_error: 'the answer was no JSON' }),
  engine('bing', 'bing', {
    state: 'paused',
    paused_until: new Date(now + 90_000).toISOString(),
    failures: 41,
    skipped: 12,
    last_error: 'bing asks for a captcha: https://www.bing.com/',
  }),
  engine('arxiv', 'arxiv', {
    state: 'unknown',
    requests: 0,
    p50_ms: null,
    p95_ms: null,
    mean_results: 0,
    last_success_at: null,
  }),
];

export const webSource = {
  n: 3,
  kind: 'web',
  url: 'https://www.mohrss.example/leave/annual?id=7',
  title: '职工带薪年休假条例',
  excerpt:
    '职工累计工作已满1年不满10年的，年休假5天；已满10年不满20年的，年休假10天；已满20年的，年休假15天。\n国家法定休假日、休息日不计入年休假的假期。',
  score: 0.21,
  as_of: ago(400_000),
};
export const WEB_ANSWER = '\n\n法律规定的下限是：职工累计工作已满1年不满10年的，年休假5天 [3]。';
export const WEB_CITATION = {
  n: 3,
  sentence: '法律规定的下限是：职工累计工作已满1年不满10年的，年休假5天',
  supported: true,
  score: 0.9,
  boxes: [],
};
