import type { UseQueryResult } from '@tanstack/react-query';
import { Check, Download } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import type { Catalogue, CatalogueModel, ModelMemory } from '../../api/types';
import { isMessageKey, LOCALES } from '../../i18n/translate';
import { useFormat, usePreferences, useT } from '../../i18n/use';
import { Button, ErrorNotice, Loading } from '../../kit/controls';
import { families, fitOf, usualSize } from '../../models/describe';
import { Menu } from '../../kit/menu';
import { modelTasks } from '../../models/running';
import { startPull } from './pull-card';

/** Models that are known to work, with what each needs. */
export function CatalogueCard({
  catalogue,
  memory,
}: {
  catalogue: UseQueryResult<Catalogue>;
  memory: ModelMemory | null;
}) {
  const t = useT();
  const models = catalogue.data?.models ?? [];
  const pullable = catalogue.data?.pull_enabled !== false;
  return (
    <section className="card rule-card">
      <h2>{t('models.catalogue')}</h2>
      <p>{t('models.catalogue_lead')}</p>
      {catalogue.isLoading && <Loading />}
      {catalogue.error && <ErrorNotice error={catalogue.error} />}
      {catalogue.data && models.length === 0 && (
        <p className="notice notice-info">{t('models.catalogue_empty')}</p>
      )}
      {families(models).map(([family, members]) => (
        <section key={family} className="family" aria-label={family}>
          <h3>{family}</h3>
          <ul>
            {members.map((model) => (
              <Entry key={model.name} model={model} memory={memory} pullable={pullable} />
            ))}
          </ul>
        </section>
      ))}
    </section>
  );
}

function Entry({
  model,
  memory,
  pullable,
}: {
  model: CatalogueModel;
  memory: ModelMemory | null;
  pullable: boolean;
}) {
  const t = useT();
  return (
    <li>
      <div className="family-model">
        <strong>{model.title}</strong>
        <Facts model={model} />
        <Needs model={model} memory={memory} />
      </div>
      {model.installed ? (
        <span className="badge badge-ok">
          <Check size={14} aria-hidden="true" /> {t('models.installed')}
        </span>
      ) : (
        pullable && <FetchButton model={model} />
      )}
    </li>
  );
}

/** Fetches from where it can be had; where there are several such places, one is chosen. */
function FetchButton({ model }: { model: CatalogueModel }) {
  const t = useT();
  const tasks = useSyncExternalStore(modelTasks.subscribe, modelTasks.snapshot);
  const busy = tasks.some((task) => model.sources.includes(task.name) && task.state === 'running');
  const [first, ...others] = model.sources;
  if (first === undefined) return null;
  const button = (
    <Button
      busy={busy}
      aria-label={t('models.pull_of', { name: model.title })}
      {...(others.length === 0 ? { onClick: () => startPull(first) } : {})}
    >
      {!busy && <Download size={15} aria-hidden="true" />} {t('models.pull')}
    </Button>
  );
  if (others.length === 0) return button;
  return (
    <Menu
      trigger={button}
      header={<div className="menu-label">{t('models.pull_from')}</div>}
      entries={model.sources.map((source) => ({
        key: source,
        label: source,
        onSelect: () => startPull(source),
      }))}
    />
  );
}

function useLanguageNames(): (codes: readonly string[]) => string {
  const { language } = usePreferences();
  const names = new Intl.DisplayNames([LOCALES[language]], { type: 'language', fallback: 'code' });
  return (codes) =>
    codes
      .map((code) => {
        try {
          return names.of(code) ?? code;
        } catch {
          // No code of a language: shown as it stands.
          return code;
        }
      })
      .join(language === 'zh' ? '、' : ', ');
}

function Facts({ model }: { model: CatalogueModel }) {
  const t = useT();
  const { number } = useFormat();
  const languages = useLanguageNames();
  const facts = [
    model.parameter_size,
    model.context_tokens ? t('models.context_of', { n: number(model.context_tokens) }) : null,
    languages(model.languages),
    model.license,
  ];
  return (
    <p className="family-facts">
      {facts.filter(Boolean).join(' · ')}
      <span className="signs">
        {model.capabilities.map((name) => {
          const key = `models.can_${name}`;
          return isMessageKey(key) ? (
            <span key={name} className="badge">
              {t(key)}
            </span>
          ) : null;
        })}
      </span>
    </p>
  );
}

const FIT_CLASSES = { fits: 'fit-ok', tight: 'fit-warn', large: 'fit-bad', unknown: '' } as const;

/** The memory that a model needs beside what is there. */
function Needs({ model, memory }: { model: CatalogueModel; memory: ModelMemory | null }) {
  const t = useT();
  const { bytes } = useFormat();
  const size = usualSize(model);
  if (size === null) return null;
  const fit = fitOf(size.bytes, memory);
  return (
    <p className={`family-needs ${FIT_CLASSES[fit]}`}>
      {size.quantization}:{' '}
      {t(`models.fit_${fit}`, {
        needed: bytes(size.bytes),
        free: bytes(memory?.available_bytes ?? 0),
        total: bytes(memory?.total_bytes ?? 0),
      })}
    </p>
  );
}
