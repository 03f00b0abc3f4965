import type { User } from '../api/types';
import { forgetSessions } from '../chat/sessions';
import { modelTasks } from '../models/running';
import { forgetUploads } from '../upload/queues';
import { keys, queryClient } from './queries';

/** Somebody signed in or out: nothing that another person could see stays behind. */
export function changePerson(me: User | null): void {
  forgetSessions();
  forgetUploads();
  modelTasks.forget();
  queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== keys.me[0] });
  queryClient.setQueryData(keys.me, me);
}
