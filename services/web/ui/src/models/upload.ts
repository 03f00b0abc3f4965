import { CSRF_HEADER, csrfToken } from '../api/csrf';
import * as api from '../api/endpoints';
import { ApiError } from '../api/errors';
import { API_BASE } from '../api/http';
import { Sha256 } from './sha256';
import type { Report, Work } from './tasks';

/** Bytes that are read and hashed at a time. */
const SLICE_BYTES = 4 * 1024 * 1024;

/** The SHA-256 of a file, read piece by piece. */
export async function digestOf(file: Blob, report: Report, signal: AbortSignal): Promise<string> {
  const hash = new Sha256();
  for (let at = 0; at < file.size; at += SLICE_BYTES) {
    signal.throwIfAborted();
    hash.update(new Uint8Array(await file.slice(at, at + SLICE_BYTES).arrayBuffer()));
    report({ completed: Math.min(file.size, at + SLICE_BYTES) });
  }
  return hash.hex();
}

/** Sends a file as the body. `XMLHttpRequest`, because `fetch` reports no upload progress. */
function send(method: string, path: string, file: Blob, report: Report, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, `${API_BASE}${path}`);
    request.setRequestHeader(CSRF_HEADER, csrfToken());
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = (event) => report({ completed: event.loaded });
    request.onload = () => {
      if (request.status < 300) return resolve();
      let body: unknown = null;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        // Something between here and the server has answered: the status says enough.
      }
      reject(ApiError.fromBody(body, request.status, request.getResponseHeader('x-request-id')));
    };
    request.onerror = () => reject(ApiError.unreachable());
    request.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}

/** Makes a model of a file: finds its digest, sends it where it is not there yet, and names it. */
export function uploadModel(name: string, file: File): Work {
  return async (report, signal) => {
    report({ phase: 'hashing', completed: 0, total: file.size });
    const sha256 = await digestOf(file, report, signal);
    report({ phase: 'sending', completed: 0 });
    const { present } = await api.modelFileState(sha256);
    signal.throwIfAborted();
    if (!present) await send('PUT', `/admin/models/files/${sha256}`, file, report, signal);
    report({ phase: 'creating', completed: file.size });
    await api.createModel({ name, file_name: file.name, sha256 }, signal);
  };
}

/** Takes in an archive that another server has exported. */
export function importArchive(file: File): Work {
  return async (report, signal) => {
    report({ phase: 'sending', completed: 0, total: file.size });
    await send('POST', '/admin/models/archive', file, report, signal);
  };
}

/** What a model from this file may be called: the file's name without its ending, in the letters that names have. */
export function nameFor(fileName: string): string {
  return fileName
    .replace(/\.gguf$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
}
