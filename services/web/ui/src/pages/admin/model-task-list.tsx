import { X } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { useErrorText, useFormat, useT } from '../../i18n/use';
import { isMessageKey } from '../../i18n/translate';
import { IconButton, Spinner } from '../../kit/controls';
import { modelTasks } from '../../models/running';
import { shareOf, type Task } from '../../models/tasks';

/** What is being fetched or sent, and how it ended. */
export function ModelTaskList() {
  const t = useT();
  const tasks = useSyncExternalStore(modelTasks.subscribe, modelTasks.snapshot);
  if (tasks.length === 0) return null;
  return (
    <section className="card" aria-label={t('models.tasks')}>
      <ul className="model-tasks">
        {tasks.map((task) => (
          <TaskRow key={task.key} task={task} />
        ))}
      </ul>
    </section>
  );
}

function TaskRow({ task }: { task: Task }) {
  const t = useT();
  const running = task.state === 'running';
  const share = shareOf(task);
  const label = running ? 'models.task_cancel' : 'models.task_dismiss';
  return (
    <li data-state={task.state}>
      <div className="model-task-head">
        <strong>{t(`models.task_${task.kind}`, { name: task.name })}</strong>
        <span role="status">
          <TaskState task={task} />
        </span>
        <IconButton
          small
          label={t(label, { name: task.name })}
          onClick={() => (running ? modelTasks.cancel(task.key) : modelTasks.dismiss(task.key))}
        >
          <X size={15} />
        </IconButton>
      </div>
      {running && share !== null && (
        <div
          className="progress"
          role="progressbar"
          aria-label={task.name}
          aria-valuenow={Math.round(share * 100)}
        >
          <i style={{ width: `${share * 100}%` }} />
        </div>
      )}
      {task.state === 'failed' && task.error && <Failure task={task} />}
    </li>
  );
}

function TaskState({ task }: { task: Task }) {
  const t = useT();
  const { bytes } = useFormat();
  if (task.state !== 'running') return <>{t(`models.task_${task.state}`)}</>;
  const key = `models.phase_${task.phase ?? 'starting'}`;
  // What the runtime says in its own words is shown as it is.
  const phase = isMessageKey(key) ? t(key) : (task.phase ?? '');
  return (
    <>
      <Spinner /> {phase}
      {task.total !== null && task.total > 0 && (
        <span className="model-task-bytes">
          {' '}
          {bytes(task.completed)} / {bytes(task.total)}
        </span>
      )}
    </>
  );
}

/** How the server says that it fetches nothing. Whoever is here may otherwise fetch. */
const OFF_CODES = ['forbidden', 'pull_disabled'];

/** The reason in the reader's language, and what the runtime said about it. */
function Failure({ task }: { task: Task }) {
  const t = useT();
  const errorText = useErrorText();
  if (!task.error) return null;
  const off = task.kind === 'pull' && OFF_CODES.includes(task.error.code);
  const text = off ? t('models.pull_off') : errorText(task.error);
  const detail = task.error.message;
  return (
    <p className="field-error" role="alert">
      {text}
      {detail && !text.includes(detail) && <small>{detail}</small>}
    </p>
  );
}
