import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import * as api from '../../api/endpoints';
import { useT } from '../../i18n/use';
import { ErrorNotice, Loading, Segmented } from '../../kit/controls';
import { Dialog, FormDialog } from '../../kit/dialog';
import { groupsOf, withGroups } from '../../models/access';
import { keys, queryClient, refresh } from '../../state/queries';

/** Who may use a model: everybody, or some groups. */
export function ModelAccessDialog({ model, onClose }: { model: string; onClose: () => void }) {
  const t = useT();
  const access = useQuery({ queryKey: keys.modelAccess, queryFn: api.getModelAccess, staleTime: 0 });
  const title = t('models.access_title', { name: model });
  if (access.data && !access.isFetching) {
    return <AccessForm title={title} model={model} saved={groupsOf(access.data, model)} onClose={onClose} />;
  }
  return (
    <Dialog title={title} onClose={onClose}>
      {access.error ? <ErrorNotice error={access.error} /> : <Loading />}
    </Dialog>
  );
}

function AccessForm({
  title,
  model,
  saved,
  onClose,
}: {
  title: string;
  model: string;
  /** `null`: everybody. */
  saved: readonly string[] | null;
  onClose: () => void;
}) {
  const t = useT();
  const groups = useQuery({ queryKey: keys.groups, queryFn: api.listGroups });
  const [chosen, setChosen] = useState<readonly string[] | null>(saved);

  async function save() {
    // The section is written as a whole: what else is in it may have been changed in the meantime.
    const now = await api.getModelAccess();
    queryClient.setQueryData(keys.modelAccess, await api.putModelAccess(withGroups(now, model, chosen)));
    void refresh(keys.models);
  }

  const toggle = (id: string, on: boolean) =>
    setChosen(on ? [...(chosen ?? []), id] : (chosen ?? []).filter((other) => other !== id));
  return (
    <FormDialog title={title} submitLabel={t('common.save')} onSubmit={save} onClose={onClose}>
      <Segmented
        label={title}
        choices={[
          { value: 'everyone', label: t('access.everyone') },
          { value: 'groups', label: t('models.access_groups') },
        ]}
        value={chosen === null ? 'everyone' : 'groups'}
        onChoose={(value) => setChosen(value === 'everyone' ? null : (saved ?? []))}
      />
      {chosen !== null && (
        <>
          <p className="dialog-text">{t('models.access_hint')}</p>
          {(groups.data ?? []).map((group) => (
            <label key={group.id} className="check">
              <input
                type="checkbox"
                checked={chosen.includes(group.id)}
                onChange={(event) => toggle(group.id, event.target.checked)}
              />
              <span>{group.name}</span>
            </label>
          ))}
        </>
      )}
    </FormDialog>
  );
}
