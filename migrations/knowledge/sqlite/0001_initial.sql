-- The truth about knowledge: what is stored here and in the object store is enough to rebuild both indexes.
-- Ids are UUID text, times milliseconds since the Unix epoch, booleans 0 or 1, lists and structures JSON text.

CREATE TABLE knowledge_bases (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    language TEXT NOT NULL,
    -- The model that embeds this knowledge base's passages and the questions to it.
    embedding_model TEXT NOT NULL,
    -- The embedding space of the generation that serves; null before the first passage.
    space TEXT,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- Set: gone for every reader; the collector removes what belonged to it.
    deleted_at BIGINT
);

CREATE TABLE grants (
    knowledge_base_id TEXT NOT NULL REFERENCES knowledge_bases (id),
    principal TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (knowledge_base_id, principal)
);
CREATE INDEX grants_by_principal ON grants (principal, knowledge_base_id);

-- Files by content; a row is locked while its file is put in place or removed, so that neither undoes the other.
CREATE TABLE originals (
    sha256 TEXT PRIMARY KEY,
    bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE documents (
    id TEXT PRIMARY KEY,
    knowledge_base_id TEXT NOT NULL REFERENCES knowledge_bases (id),
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    latest_version_id TEXT NOT NULL,
    -- The version that answers; null until one is complete in both indexes.
    serving_version_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX documents_by_path ON documents (knowledge_base_id, path) WHERE deleted_at IS NULL;
CREATE INDEX documents_by_base ON documents (knowledge_base_id, id);
CREATE INDEX documents_by_change ON documents (knowledge_base_id, updated_at);
CREATE INDEX documents_deleted ON documents (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE versions (
    id TEXT PRIMARY KEY,
    document_id TEXT NOT NULL REFERENCES documents (id),
    number BIGINT NOT NULL,
    -- Null when the upload was refused and nothing is kept.
    sha256 TEXT REFERENCES originals (sha256),
    bytes BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    pages BIGINT,
    status TEXT NOT NULL,
    progress_permille BIGINT NOT NULL,
    error_code TEXT,
    error_message TEXT,
    warnings TEXT NOT NULL,
    -- The last generation of chunks that was begun, and the one that serves.
    generation BIGINT NOT NULL,
    serving_generation BIGINT,
    chunk_count BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (document_id, number)
);
CREATE INDEX versions_by_original ON versions (sha256);

CREATE TABLE chunks (
    id TEXT PRIMARY KEY,
    version_id TEXT NOT NULL REFERENCES versions (id),
    generation BIGINT NOT NULL,
    ordinal BIGINT NOT NULL,
    document_id TEXT NOT NULL,
    knowledge_base_id TEXT NOT NULL,
    text TEXT NOT NULL,
    page_start BIGINT,
    page_end BIGINT,
    heading_path TEXT NOT NULL,
    -- [[start, end, page, x0, y0, x1, y1], ...]
    lines TEXT NOT NULL,
    tokens BIGINT NOT NULL,
    UNIQUE (version_id, generation, ordinal)
);
CREATE INDEX chunks_by_document ON chunks (document_id);

-- Apart from the chunks, so that reading a passage does not read its vector. IEEE 754 half precision, little-endian.
CREATE TABLE chunk_vectors (
    chunk_id TEXT PRIMARY KEY REFERENCES chunks (id),
    vector BLOB NOT NULL
);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    version_id TEXT NOT NULL,
    document_id TEXT NOT NULL,
    knowledge_base_id TEXT NOT NULL,
    generation BIGINT NOT NULL,
    -- queued, running, indexing (its chunks are in the log, the indexes follow) or dead.
    state TEXT NOT NULL,
    priority BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    worker TEXT,
    lease_until BIGINT,
    -- How often it was taken up, and how often it failed by itself.
    claims BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    -- The entry of the index log that brings this job's chunks.
    log_sequence BIGINT,
    error_code TEXT,
    error_message TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX jobs_to_claim ON jobs (state, priority, run_at);
CREATE INDEX jobs_by_document ON jobs (document_id);

-- What happened to chunks, in the order in which it was committed; both indexes follow it.
CREATE TABLE index_log (
    sequence BIGINT PRIMARY KEY,
    operation TEXT NOT NULL,
    knowledge_base_id TEXT NOT NULL,
    document_id TEXT,
    version_id TEXT,
    generation BIGINT,
    chunk_count BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- One row: the last sequence number given. It is locked until commit, so that entries appear in their order.
CREATE TABLE index_head (
    id BIGINT PRIMARY KEY,
    sequence BIGINT NOT NULL
);
INSERT INTO index_head (id, sequence) VALUES (1, 0);

-- How far the followers have come, for reports; what an index has reached for certain it keeps itself.
CREATE TABLE index_state (
    follower TEXT NOT NULL,
    index_name TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (follower, index_name)
);
