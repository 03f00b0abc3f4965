import { CircleStop, Download, MoreHorizontal, Pin, PinOff, Play, Trash2, UsersRound } from 'lucide-react';
import * as api from '../../api/endpoints';
import { API_BASE } from '../../api/http';
import type { AdminModel } from '../../api/types';
import { useFormat, useT } from '../../i18n/use';
import { Spinner } from '../../kit/controls';
import { Menu, type MenuEntry } from '../../kit/menu';
import { toastError } from '../../kit/toast';
import { actionsOf, capabilitiesOf, isBuiltIn } from '../../models/describe';
import { keys, refresh } from '../../state/queries';

interface Actions {
  onAccess: (model: AdminModel) => void;
  onDelete: (model: AdminModel) => void;
}

export function ModelTable({ models, ...actions }: { models: readonly AdminModel[] } & Actions) {
  const t = useT();
  return (
    <div className="card table-wrap" tabIndex={0} role="region" aria-label={t('nav.models')}>
      <table className="table model-table">
        <thead>
          <tr>
            <th scope="col">{t('models.model')}</th>
            <th scope="col">{t('models.state')}</th>
            <th scope="col" className="number narrow-hide">
              {t('models.size')}
            </th>
            <th scope="col" className="number narrow-hide">
              {t('models.memory')}
            </th>
            <th scope="col" className="number narrow-hide">
              {t('models.context')}
            </th>
            <th scope="col" className="number narrow-hide">
              {t('models.queue')}
            </th>
            <th scope="col">
              <span className="visually-hidden">{t('common.more')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => (
            <Row key={model.id} model={model} {...actions} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What stands in the columns, as text; a dash where there is nothing to say. */
function useFigures(model: AdminModel) {
  const t = useT();
  const { bytes, number } = useFormat();
  const memory = model.memory_bytes ?? null;
  const needed = model.needed_bytes ?? null;
  const queue = model.queue ?? null;
  return {
    size: model.size_bytes ? bytes(model.size_bytes) : '–',
    memory: memory ? bytes(memory) : needed ? t('models.memory_needed', { size: bytes(needed) }) : '–',
    context: model.context_tokens > 0 ? number(model.context_tokens) : '–',
    queue: queue ? t('models.queue_of', { running: queue.running, waiting: queue.waiting }) : '–',
  };
}

function Row({ model, onAccess, onDelete }: { model: AdminModel } & Actions) {
  const t = useT();
  const figures = useFigures(model);
  const facts = [model.engine, model.parameter_size, model.quantization].filter(Boolean).join(' · ');
  const context = model.context_tokens > 0 ? t('models.context_of', { n: figures.context }) : '–';
  const narrow = [figures.size, figures.memory, context, figures.queue]
    .filter((text) => text !== '–')
    .join(' · ');
  return (
    <tr>
      <th scope="row">
        {model.id}
        <small>{facts}</small>
        {narrow && <small className="narrow-only">{narrow}</small>}
        <span className="signs">
          {capabilitiesOf(model).map((name) => (
            <span key={name} className="badge">
              {t(`models.can_${name}`)}
            </span>
          ))}
        </span>
      </th>
      <td>
        <State model={model} />
      </td>
      <td className="number narrow-hide">{figures.size}</td>
      <td className="number narrow-hide">{figures.memory}</td>
      <td className="number narrow-hide">{figures.context}</td>
      <td className="number narrow-hide">{figures.queue}</td>
      <td className="actions">
        <ModelMenu model={model} onAccess={onAccess} onDelete={onDelete} />
      </td>
    </tr>
  );
}

const STATE_BADGES: Record<AdminModel['state'], string> = {
  ready: 'badge badge-ok',
  loading: 'badge badge-accent',
  available: 'badge',
  failed: 'badge badge-danger',
};

function State({ model }: { model: AdminModel }) {
  const t = useT();
  const { clock } = useFormat();
  return (
    <div className="model-state">
      <span className={STATE_BADGES[model.state] ?? 'badge'}>
        {model.state === 'loading' && <Spinner />}
        {t(`models.state_${model.state}`)}
      </span>
      {model.pinned && <small>{t('models.pinned')}</small>}
      {model.expires_at && !model.pinned && (
        <small>{t('models.expires', { time: clock(model.expires_at) })}</small>
      )}
      {model.error && <small className="model-error">{model.error}</small>}
    </div>
  );
}

function ModelMenu({ model, onAccess, onDelete }: { model: AdminModel } & Actions) {
  const t = useT();
  const can = actionsOf(model);
  const act = (call: (name: string) => Promise<unknown>) => () => {
    const ended = call(model.id).catch(toastError);
    // Loading takes a while: the list says so from its beginning.
    void refresh(keys.adminModels);
    void ended.then(() => Promise.all([refresh(keys.adminModels), refresh(keys.models)]));
  };
  const entry = (
    key: string,
    shown: boolean,
    label: string,
    icon: MenuEntry['icon'],
    onSelect: () => void,
  ): MenuEntry[] => (shown ? [{ key, label, icon, onSelect }] : []);
  const entries: MenuEntry[] = [
    ...entry('load', can.load, t('models.load'), <Play size={16} />, act(api.loadModel)),
    ...entry('unload', can.unload, t('models.unload'), <CircleStop size={16} />, act(api.unloadModel)),
    ...entry('pin', can.pin, t('models.pin'), <Pin size={16} />, act(api.pinModel)),
    ...entry('unpin', can.unpin, t('models.unpin'), <PinOff size={16} />, act(api.unpinModel)),
    ...entry('access', true, t('models.access'), <UsersRound size={16} />, () => onAccess(model)),
    ...entry('export', can.remove && !isBuiltIn(model), t('models.export'), <Download size={16} />, () =>
      saveArchive(model.id),
    ),
    {
      key: 'delete',
      label: t('common.delete'),
      icon: <Trash2 size={16} />,
      danger: true,
      disabled: !can.remove,
      onSelect: () => onDelete(model),
    },
  ];
  return (
    <Menu
      trigger={
        <button
          type="button"
          className="icon-button icon-button-small"
          aria-label={`${t('common.more')}: ${model.id}`}
        >
          <MoreHorizontal size={17} />
        </button>
      }
      entries={entries}
    />
  );
}

/** Lets the browser fetch the archive itself: it may be larger than what a page can hold. */
function saveArchive(name: string): void {
  const link = document.createElement('a');
  link.href = `${API_BASE}/admin/models/${encodeURIComponent(name)}/archive`;
  link.download = '';
  link.click();
}
