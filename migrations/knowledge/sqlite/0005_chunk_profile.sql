-- How a knowledge base's documents are cut into passages, and how the last passages of a version were cut. Where the two
-- differ, the version is cut anew in the background.
ALTER TABLE knowledge_bases ADD COLUMN chunk_profile TEXT NOT NULL DEFAULT 'general';
ALTER TABLE versions ADD COLUMN chunk_profile TEXT NOT NULL DEFAULT 'general';
