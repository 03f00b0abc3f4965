import { ApiError } from '../api/errors';
import { UploadQueue } from './queue';
import { sendTo } from './send';

const queues = new Map<string, UploadQueue<File>>();

/** The uploads of a knowledge base; they go on while the reader looks at other pages. */
export function queueOf(knowledgeBaseId: string): UploadQueue<File> {
  const known = queues.get(knowledgeBaseId);
  if (known) return known;
  const queue = new UploadQueue<File>(sendTo(knowledgeBaseId), (cause) => {
    const { code, message } = ApiError.of(cause);
    return { code, message };
  });
  queues.set(knowledgeBaseId, queue);
  return queue;
}

/** Another person may sign in next. */
export function forgetUploads(): void {
  for (const queue of queues.values()) queue.cancelAll();
  queues.clear();
}
