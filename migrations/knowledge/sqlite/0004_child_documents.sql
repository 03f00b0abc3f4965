-- Documents inside documents: attachments of messages, members of archives.
ALTER TABLE documents ADD COLUMN parent_id TEXT REFERENCES documents (id);
CREATE INDEX documents_by_parent ON documents (parent_id) WHERE parent_id IS NOT NULL;
