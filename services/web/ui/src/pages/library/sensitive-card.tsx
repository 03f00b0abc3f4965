import { useId, useState } from 'react';
import * as api from '../../api/endpoints';
import type { KnowledgeBase } from '../../api/types';
import { useT } from '../../i18n/use';
import { Button, TextAreaField } from '../../kit/controls';
import { FormDialog } from '../../kit/dialog';
import { toastDone } from '../../kit/toast';
import { keys, refresh } from '../../state/queries';
import { KINDS, kindsOf, MODES, policyOf } from './sensitive';

/** What is done about personal data and secrets. Owners change it; editors see it. */
export function SensitiveCard({ base }: { base: KnowledgeBase }) {
  const t = useT();
  const group = useId();
  const policy = base.desensitisation;
  const [mode, setMode] = useState(policy?.mode ?? 'off');
  const [kinds, setKinds] = useState(() => kindsOf(policy));
  const [words, setWords] = useState((policy?.words ?? []).join('\n'));
  const [confirming, setConfirming] = useState(false);
  const owner = base.my_role === 'owner';
  const nothing = mode !== 'off' && kinds.size === 0;

  function toggle(kind: (typeof KINDS)[number]) {
    const next = new Set(kinds);
    if (!next.delete(kind)) next.add(kind);
    setKinds(next);
  }

  return (
    <section className="card rule-card">
      <h2>{t('privacy.title')}</h2>
      <p>{t('privacy.lead')}</p>
      <fieldset className="modes" disabled={!owner}>
        <legend className="visually-hidden">{t('privacy.title')}</legend>
        {MODES.map((value) => (
          <label key={value} className="mode" data-chosen={mode === value || undefined}>
            <input
              type="radio"
              name={`${group}-mode`}
              value={value}
              checked={mode === value}
              onChange={() => setMode(value)}
            />
            <b>{t(`privacy.${value}`)}</b>
            <span>{t(`privacy.${value}_text`)}</span>
          </label>
        ))}
      </fieldset>
      {mode !== 'off' && (
        <>
          <fieldset className="kinds" disabled={!owner}>
            <legend className="field-label">{t('privacy.kinds')}</legend>
            {KINDS.map((kind) => (
              <label key={kind}>
                <input type="checkbox" checked={kinds.has(kind)} onChange={() => toggle(kind)} />
                {t(`kind.${kind}`)}
              </label>
            ))}
          </fieldset>
          {kinds.has('word') && (
            <TextAreaField
              label={t('privacy.words')}
              optional
              hint={t('privacy.words_hint')}
              value={words}
              disabled={!owner}
              onChange={(event) => setWords(event.target.value)}
            />
          )}
        </>
      )}
      {owner ? (
        <div className="rule-apply">
          <Button kind="primary" disabled={nothing} onClick={() => setConfirming(true)}>
            {t('common.save')}
          </Button>
          <span>{nothing ? t('privacy.nothing') : t('privacy.apply_hint')}</span>
        </div>
      ) : (
        <p className="field-hint">{t('privacy.owner_only')}</p>
      )}
      {confirming && (
        <FormDialog
          title={t('privacy.confirm_title', { mode: t(`privacy.${mode}`) })}
          submitLabel={t('common.save')}
          onSubmit={async () => {
            await api.updateKnowledgeBase(base.id, { desensitisation: policyOf(mode, kinds, words) });
            await refresh(keys.knowledgeBases);
            toastDone('common.saved');
          }}
          onClose={() => setConfirming(false)}
        >
          <p className="dialog-text">{t('privacy.confirm_text', { n: base.document_count })}</p>
        </FormDialog>
      )}
    </section>
  );
}
