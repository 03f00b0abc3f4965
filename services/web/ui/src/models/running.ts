import { ApiError } from '../api/errors';
import { keys, refresh } from '../state/queries';
import { ModelTasks } from './tasks';

/** The tasks of whoever is signed in here. */
export const modelTasks = new ModelTasks(
  (cause) => {
    const { code, message } = ApiError.of(cause);
    return { code, message };
  },
  () => {
    void refresh(keys.adminModels);
    void refresh(keys.models);
  },
);
