-- Event streams over all knowledge bases ask for what changed since a moment.
CREATE INDEX documents_by_time ON documents (updated_at);
