-- The password of a protected file, sealed with the server's key, until its job has read the file.
ALTER TABLE jobs ADD COLUMN sealed_password TEXT;
