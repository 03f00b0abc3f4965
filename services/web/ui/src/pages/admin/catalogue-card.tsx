import type { UseQueryResult } from '@tanstack/react-query';
import { Check, Download } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import type { Catalogue, CatalogueModel, ModelMemory } from '../../api/types';
import { isMessageKey } from '../../i18n/translate';
import { useFormat, useT } from '../../i18n/use';
import { Button, ErrorNotice, Loading } from '../../kit/controls';
import { families, fitOf } from '../../models/describe';
import { modelTasks } from '../../models/running';
import { usePreferences } from '../../i18n/use';
import { LOCALES } from '../../i18n/translate';
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
  const tasks = useSyncExternalStore(modelTasks.subscribe, modelTasks.snapshot);
  const source = model.source ?? model.name;
  const busy = tasks.some((task) => task.name === source && task.state === 'running');
  return (
    <li>
      <div className="family-model">
        <strong>{model.name}</strong>
        {model.description && <p>{model.description}</p>}
        <Facts model={model} />
        <Needs model={model} memory={memory} />
      </div>
      {model.installed ? (
        <span className="badge badge-ok">
          <Check size={14} aria-hidden="true" /> {t('models.installed')}
        </span>
      ) : (
        pullable && (
          <Button busy={busy} onClick={() => startPull(source)}>
            {!busy && <Download size={15} aria-hidden="true" />} {t('models.pull')}
          </Button>
        )
      )}
    </li>
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
  const { bytes, number } = useFormat();
  const languages = useLanguageNames();
  const facts = [
    model.parameter_size,
    model.quantization,
    model.size_bytes ? bytes(model.size_bytes) : null,
    model.context_tokens ? t('models.context_of', { n: number(model.context_tokens) }) : null,
    (model.languages ?? []).length > 0 ? languages(model.languages ?? []) : null,
    model.license,
  ];
  return (
    <p className="family-facts">
      {facts.filter(Boolean).join(' · ')}
      <span className="signs">
        {(model.capabilities ?? []).map((name) => {
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
  if (model.memory_bytes == null) return null;
  const fit = fitOf(model.memory_bytes, memory);
  return (
    <p className={`family-needs ${FIT_CLASSES[fit]}`}>
      {t(`models.fit_${fit}`, {
        needed: bytes(model.memory_bytes),
        free: bytes(memory?.available_bytes ?? 0),
        total: bytes(memory?.total_bytes ?? 0),
      })}
    </p>
  );
}
