-- What a knowledge base does about sensitive content, as JSON; the revision counts its changes. A version that was read
-- under another revision is read anew in the background.
ALTER TABLE knowledge_bases ADD COLUMN desensitisation TEXT NOT NULL DEFAULT '{}';
ALTER TABLE knowledge_bases ADD COLUMN policy_revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE versions ADD COLUMN policy_revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE versions ADD COLUMN finding_count BIGINT NOT NULL DEFAULT 0;

-- Kept for its report; at most a thousand findings as JSON, without their values.
CREATE TABLE findings (
    version_id TEXT PRIMARY KEY REFERENCES versions (id),
    report TEXT NOT NULL
);

-- The name as it is shown and indexed where names are masked; null where it is the name itself.
ALTER TABLE documents ADD COLUMN masked_name TEXT;
ALTER TABLE documents ADD COLUMN masked_path TEXT;
-- The earliest document that says nearly the same, and how nearly in thousandths.
ALTER TABLE documents ADD COLUMN near_duplicate_of TEXT;
ALTER TABLE documents ADD COLUMN near_duplicate_permille BIGINT;
-- Set: a person has said which labels fit.
ALTER TABLE documents ADD COLUMN labels_corrected BIGINT NOT NULL DEFAULT 0;
CREATE INDEX documents_by_near_duplicate ON documents (near_duplicate_of) WHERE near_duplicate_of IS NOT NULL;

-- What a document says as a whole: its MinHash signature (little-endian numbers) and the mean of its passages' vectors
-- (half precision), of the version that was indexed last.
CREATE TABLE document_prints (
    document_id TEXT PRIMARY KEY REFERENCES documents (id),
    knowledge_base_id TEXT NOT NULL,
    signature BLOB NOT NULL,
    centroid BLOB NOT NULL
);
-- Documents that share a band are compared.
CREATE TABLE print_bands (
    knowledge_base_id TEXT NOT NULL,
    band BIGINT NOT NULL,
    document_id TEXT NOT NULL REFERENCES documents (id),
    PRIMARY KEY (knowledge_base_id, band, document_id)
);
CREATE INDEX print_bands_by_document ON print_bands (document_id);

CREATE TABLE labels (
    knowledge_base_id TEXT NOT NULL REFERENCES knowledge_bases (id),
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    description TEXT NOT NULL,
    examples TEXT NOT NULL,
    -- One vector of the embedding model for the description and each example, as JSON; null until they are needed.
    vectors TEXT,
    PRIMARY KEY (knowledge_base_id, name)
);
CREATE TABLE document_labels (
    document_id TEXT NOT NULL REFERENCES documents (id),
    name TEXT NOT NULL,
    confidence_permille BIGINT NOT NULL,
    PRIMARY KEY (document_id, name)
);
CREATE INDEX document_labels_by_name ON document_labels (name, document_id);
