import { FileUp, FolderUp, X } from 'lucide-react';
import {
  useRef,
  useState,
  useSyncExternalStore,
  type ChangeEvent,
  type DragEvent,
  type ReactNode,
} from 'react';
import { useErrorText, useT } from '../../i18n/use';
import { Button, IconButton } from '../../kit/controls';
import { toastDone, toastError } from '../../kit/toast';
import { fromDrop, fromPicker, MAX_PICKED_FILES, type PickedFile } from '../../upload/files';
import { summarise, type UploadItem, type UploadQueue } from '../../upload/queue';

/** Takes files and folders by button or by drop anywhere over its content, and shows how they get on. */
export function UploadArea({
  queue,
  enabled,
  children,
}: {
  queue: UploadQueue<File>;
  enabled: boolean;
  children: ReactNode;
}) {
  const t = useT();
  // Entering a child leaves its parent: the depth tells whether the pointer is still over the area.
  const [depth, setDepth] = useState(0);
  const [reading, setReading] = useState(false);
  if (!enabled) return <>{children}</>;

  function add(files: PickedFile[]) {
    if (files.length >= MAX_PICKED_FILES) toastDone('upload.too_many', { n: MAX_PICKED_FILES });
    queue.add(files);
  }

  async function onDrop(event: DragEvent) {
    event.preventDefault();
    setDepth(0);
    setReading(true);
    try {
      add(await fromDrop(event.dataTransfer));
    } catch (cause) {
      toastError(cause);
    } finally {
      setReading(false);
    }
  }

  const carriesFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files');
  return (
    <div
      className={`upload-area ${depth > 0 ? 'upload-over' : ''}`}
      onDragEnter={(event) => carriesFiles(event) && setDepth(depth + 1)}
      onDragLeave={(event) => carriesFiles(event) && setDepth(Math.max(0, depth - 1))}
      onDragOver={(event) => carriesFiles(event) && event.preventDefault()}
      onDrop={(event) => void onDrop(event)}
    >
      <div className="upload-buttons">
        <PickButton
          label={t('upload.files')}
          icon={<FileUp size={17} aria-hidden="true" />}
          primary
          onPick={add}
        />
        <PickButton
          label={t('upload.folder')}
          icon={<FolderUp size={17} aria-hidden="true" />}
          folder
          onPick={add}
        />
        {reading && <span role="status">{t('upload.reading')}</span>}
      </div>
      <UploadList queue={queue} />
      {children}
      {depth > 0 && (
        <div className="upload-veil" aria-hidden="true">
          <FileUp size={40} strokeWidth={1.3} /> {t('upload.drop')}
        </div>
      )}
    </div>
  );
}

function PickButton({
  label,
  icon,
  folder = false,
  primary = false,
  onPick,
}: {
  label: string;
  icon: ReactNode;
  folder?: boolean;
  primary?: boolean;
  onPick: (files: PickedFile[]) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  function pick(event: ChangeEvent<HTMLInputElement>) {
    if (event.target.files) onPick(fromPicker(event.target.files));
    // The same file can be picked again after it failed.
    event.target.value = '';
  }
  return (
    <>
      <Button kind={primary ? 'primary' : 'plain'} onClick={() => input.current?.click()}>
        {icon} {label}
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={label}
        onChange={pick}
        {...(folder ? { webkitdirectory: '' } : {})}
      />
    </>
  );
}

/** Rows shown at most: those that still matter come first. */
const MAX_ROWS = 60;
const ORDER: Record<UploadItem<File>['state'], number> = {
  failed: 0,
  sending: 1,
  waiting: 2,
  duplicate: 3,
  cancelled: 4,
  accepted: 5,
};

function UploadList({ queue }: { queue: UploadQueue<File> }) {
  const t = useT();
  const items = useSyncExternalStore(queue.subscribe, queue.snapshot);
  if (items.length === 0) return null;
  const summary = summarise(items);
  const rows = [...items].sort((a, b) => ORDER[a.state] - ORDER[b.state]).slice(0, MAX_ROWS);
  const busy = summary.ended < summary.total;
  return (
    <section className="card uploads" aria-label={t('upload.list')}>
      <header>
        <strong>{t('upload.title')}</strong>
        <span role="status">
          {t('upload.progress', { ended: summary.ended, total: summary.total })}
          {summary.failed > 0 && ` · ${t('upload.failed_count', { n: summary.failed })}`}
        </span>
        {busy ? (
          <Button kind="quiet" onClick={() => queue.cancelAll()}>
            {t('upload.cancel_all')}
          </Button>
        ) : (
          <Button kind="quiet" onClick={() => queue.clear()}>
            {t('upload.clear')}
          </Button>
        )}
      </header>
      <div className="progress" aria-hidden="true">
        <i style={{ width: `${summary.progress * 100}%` }} />
      </div>
      <ul>
        {rows.map((item) => (
          <UploadRow key={item.key} item={item} queue={queue} />
        ))}
      </ul>
    </section>
  );
}

function UploadRow({ item, queue }: { item: UploadItem<File>; queue: UploadQueue<File> }) {
  const t = useT();
  const errorText = useErrorText();
  const name = item.path ?? item.file.name;
  const text =
    item.state === 'failed' && item.error
      ? errorText(item.error)
      : item.state === 'failed'
        ? t('status.failed')
        : t(`upload.${item.state}`, { percent: Math.round(item.sent * 100) });
  return (
    <li className={`upload-row upload-${item.state}`}>
      <span className="upload-name">{name}</span>
      <span className="upload-state">{text}</span>
      {item.state === 'failed' && (
        <button type="button" className="link-button" onClick={() => queue.retry(item.key)}>
          {t('common.retry')}
        </button>
      )}
      {(item.state === 'waiting' || item.state === 'sending') && (
        <IconButton small label={t('upload.cancel', { name })} onClick={() => queue.cancel(item.key)}>
          <X size={15} />
        </IconButton>
      )}
    </li>
  );
}
