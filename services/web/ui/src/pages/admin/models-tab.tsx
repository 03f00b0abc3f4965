import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import * as api from '../../api/endpoints';
import type { AdminModel, ModelMemory } from '../../api/types';
import { useFormat, useT } from '../../i18n/use';
import { ErrorState, Loading } from '../../kit/controls';
import { ConfirmDialog } from '../../kit/dialog';
import { isMoving } from '../../models/describe';
import { keys, refresh } from '../../state/queries';
import { CatalogueCard } from './catalogue-card';
import { ModelAccessDialog } from './model-access-dialog';
import { ModelFilesCard } from './model-files-card';
import { ModelTable } from './model-table';
import { ModelTaskList } from './model-task-list';
import { PullCard } from './pull-card';
import '../library/rules.css';
import './models.css';

/** How often the list is brought up to date while it is looked at: at rest, and while something moves. */
const POLL_MS = 10_000;
const POLL_MOVING_MS = 1_500;

type Open = { kind: 'delete' | 'access'; model: AdminModel } | null;

/** What the model runtime holds, and where more comes from. */
export default function ModelsTab() {
  const t = useT();
  const listed = useQuery({
    queryKey: keys.adminModels,
    queryFn: api.listAdminModels,
    refetchInterval: ({ state }) => (isMoving(state.data?.models ?? []) ? POLL_MOVING_MS : POLL_MS),
  });
  const catalogue = useQuery({ queryKey: keys.catalogue, queryFn: api.modelCatalogue });
  const [open, setOpen] = useState<Open>(null);
  if (listed.error) return <ErrorState error={listed.error} onRetry={() => void listed.refetch()} />;
  if (!listed.data) return <Loading />;
  const { models, memory } = listed.data;
  return (
    <div className="rules models">
      <header className="tab-head">
        <p>{t('models.lead')}</p>
        {memory && <Memory memory={memory} />}
      </header>
      <ModelTable
        models={models}
        onAccess={(model) => setOpen({ kind: 'access', model })}
        onDelete={(model) => setOpen({ kind: 'delete', model })}
      />
      <ModelTaskList />
      <PullCard enabled={catalogue.data?.pull_enabled ?? null} />
      <CatalogueCard catalogue={catalogue} memory={memory ?? null} />
      <ModelFilesCard />
      {open?.kind === 'access' && <ModelAccessDialog model={open.model.id} onClose={() => setOpen(null)} />}
      {open?.kind === 'delete' && (
        <ConfirmDialog
          title={t('models.delete_title')}
          text={t('models.delete_text', { name: open.model.id })}
          onConfirm={() =>
            api
              .deleteModel(open.model.id)
              .then(() => Promise.all([refresh(keys.adminModels), refresh(keys.models)]))
          }
          onClose={() => setOpen(null)}
        />
      )}
    </div>
  );
}

function Memory({ memory }: { memory: ModelMemory }) {
  const t = useT();
  const { bytes } = useFormat();
  const used = Math.max(0, memory.total_bytes - memory.available_bytes);
  return (
    <div className="model-memory">
      <span>
        {t('models.memory_free', {
          free: bytes(memory.available_bytes),
          total: bytes(memory.total_bytes),
        })}
      </span>
      <div className="progress" aria-hidden="true">
        <i style={{ width: `${(used / Math.max(1, memory.total_bytes)) * 100}%` }} />
      </div>
    </div>
  );
}
