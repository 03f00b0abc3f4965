-- Users, groups, sessions, keys, chats, audit and settings.
-- Ids are UUID text, times are milliseconds since the Unix epoch, flags are 0 or 1, JSON is text: the same
-- statements run on SQLite and PostgreSQL.

CREATE TABLE users (
    id                  TEXT PRIMARY KEY,
    username            TEXT NOT NULL,
    -- The name as it is compared: NFKC, lower case.
    username_key        TEXT NOT NULL UNIQUE,
    display_name        TEXT NOT NULL,
    role                TEXT NOT NULL,
    disabled            BIGINT NOT NULL DEFAULT 0,
    -- Argon2id in PHC format.
    password_hash       TEXT NOT NULL,
    password_changed_at BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    last_login_at       BIGINT
);

CREATE TABLE user_groups (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    name_key    TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE group_members (
    group_id TEXT NOT NULL REFERENCES user_groups (id) ON DELETE CASCADE,
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_by_user ON group_members (user_id);

CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- SHA-256 of the cookie's value.
    token_hash   TEXT NOT NULL UNIQUE,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_use ON sessions (last_used_at);

CREATE TABLE api_keys (
    id                 TEXT PRIMARY KEY,
    user_id            TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name               TEXT NOT NULL,
    prefix             TEXT NOT NULL,
    -- SHA-256 of the secret.
    secret_hash        TEXT NOT NULL UNIQUE,
    scopes             TEXT NOT NULL,
    -- JSON list of ids, or NULL for a key that is not confined.
    knowledge_base_ids TEXT,
    created_at         BIGINT NOT NULL,
    expires_at         BIGINT,
    last_used_at       BIGINT
);
CREATE INDEX api_keys_by_user ON api_keys (user_id, id);

CREATE TABLE chats (
    id                 TEXT PRIMARY KEY,
    user_id            TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title              TEXT NOT NULL,
    model              TEXT,
    knowledge_base_ids TEXT NOT NULL,
    web_search         BIGINT NOT NULL,
    folder_id          TEXT,
    -- The key that made the chat: a key that is confined to some knowledge bases sees no other chats.
    api_key_id         TEXT,
    archived           BIGINT NOT NULL,
    pinned             BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    updated_at         BIGINT NOT NULL
);
CREATE INDEX chats_by_user ON chats (user_id, updated_at, id);

CREATE TABLE messages (
    id                TEXT PRIMARY KEY,
    chat_id           TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
    parent_id         TEXT REFERENCES messages (id) ON DELETE CASCADE,
    role              TEXT NOT NULL,
    content           TEXT NOT NULL,
    -- The content as search compares it.
    search_text       TEXT NOT NULL,
    reasoning         TEXT,
    state             TEXT NOT NULL,
    -- The process that writes the answer, while it does.
    instance          TEXT,
    -- What was asked for, so that the answer can be made again.
    request           TEXT,
    model             TEXT,
    sources           TEXT NOT NULL,
    dropped           BIGINT NOT NULL DEFAULT 0,
    citations         TEXT NOT NULL,
    outcome           TEXT,
    grounded          BIGINT,
    truncated         BIGINT NOT NULL DEFAULT 0,
    cached            BIGINT NOT NULL DEFAULT 0,
    prompt_tokens     BIGINT NOT NULL DEFAULT 0,
    completion_tokens BIGINT NOT NULL DEFAULT 0,
    timings           TEXT NOT NULL DEFAULT '{}',
    error_code        TEXT,
    error_message     TEXT,
    created_at        BIGINT NOT NULL,
    finished_at       BIGINT
);
CREATE INDEX messages_by_chat ON messages (chat_id, created_at, id);
CREATE INDEX messages_by_parent ON messages (parent_id);
CREATE INDEX messages_by_state ON messages (state, created_at);

CREATE TABLE feedback (
    message_id TEXT PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    rating     BIGINT NOT NULL,
    comment    TEXT,
    created_at BIGINT NOT NULL
);

-- Each row's hash covers the hash of the row before it: a row that is changed or taken out breaks the chain.
CREATE TABLE audit_log (
    sequence   BIGINT PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    at         BIGINT NOT NULL,
    -- User id, or what acted when no user did.
    actor      TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    action     TEXT NOT NULL,
    object     TEXT NOT NULL,
    detail     TEXT NOT NULL,
    address    TEXT NOT NULL,
    prev_hash  TEXT NOT NULL,
    hash       TEXT NOT NULL
);
CREATE INDEX audit_log_by_actor ON audit_log (actor, sequence);
CREATE INDEX audit_log_by_action ON audit_log (action, sequence);

-- The end of the chain; writers take turns by updating it.
CREATE TABLE audit_head (
    id       BIGINT PRIMARY KEY,
    sequence BIGINT NOT NULL,
    hash     TEXT NOT NULL
);
INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, '');

CREATE TABLE web_settings (
    section    TEXT PRIMARY KEY,
    value      TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- The knowledge base that each user's sample documents went to.
CREATE TABLE sample_libraries (
    user_id           TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    knowledge_base_id TEXT NOT NULL
);
