import { CSRF_HEADER, csrfToken } from '../api/csrf';
import { ApiError } from '../api/errors';
import { API_BASE } from '../api/http';
import type { UploadAnswer } from '../api/types';
import type { Accepted, Send } from './queue';

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function accepted(request: XMLHttpRequest): Accepted {
  const body = parse(request.responseText) as Partial<UploadAnswer> | null;
  const document = body?.documents?.[0];
  if (request.status >= 300 || !document) {
    throw ApiError.fromBody(body, request.status, request.getResponseHeader('x-request-id'));
  }
  return { documentId: document.id, duplicate: document.duplicate_of != null };
}

/** Sends one file of a knowledge base. `XMLHttpRequest`, because `fetch` reports no upload progress. */
export function sendTo(knowledgeBaseId: string): Send<File> {
  return (item, report, signal) =>
    new Promise((resolve, reject) => {
      const form = new FormData();
      // The path goes first: a server that reads the parts in order knows it when the file begins.
      if (item.path) form.append('path', item.path);
      form.append('file', item.file, item.file.name);
      const request = new XMLHttpRequest();
      request.open('POST', `${API_BASE}/knowledge-bases/${knowledgeBaseId}/documents`);
      request.setRequestHeader(CSRF_HEADER, csrfToken());
      request.upload.onprogress = (event) => report(event.lengthComputable ? event.loaded / event.total : 0);
      request.onload = () => {
        try {
          resolve(accepted(request));
        } catch (cause) {
          reject(cause as Error);
        }
      };
      request.onerror = () => reject(ApiError.unreachable());
      request.onabort = () => reject(new DOMException('aborted', 'AbortError'));
      signal.addEventListener('abort', () => request.abort());
      request.send(form);
    });
}
