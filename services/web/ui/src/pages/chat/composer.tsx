import { ArrowUp, BookOpen, Check, ChevronDown, Cpu, Globe, Square } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useEffect, useRef, useState, useSyncExternalStore, type KeyboardEvent } from 'react';
import * as api from '../../api/endpoints';
import type { KnowledgeBase, Model } from '../../api/types';
import { OutgoingConfirmation, type WebChoice } from '../../chat/outgoing';
import { useT } from '../../i18n/use';
import { capabilitiesOf } from '../../models/describe';
import { useKnowledgeBases, useModels, useWebSearch } from '../../state/queries';
import { OutgoingPanel } from './outgoing-panel';

export interface Scope {
  knowledgeBaseIds: readonly string[];
  model: string | null;
  /** Whether the web is searched too, where that can be done. */
  webSearch: boolean;
}

/** The most characters of a question, as the server bounds it. */
const MAX_QUESTION_CHARS = 32_000;
const MAX_HEIGHT_PX = 240;

export function Composer({
  scope,
  running,
  followUp,
  onScope,
  onSend,
  onStop,
}: {
  scope: Scope;
  running: boolean;
  followUp: boolean;
  onScope: (scope: Scope) => void;
  onSend: (content: string, web: WebChoice) => void;
  onStop: () => void;
}) {
  const t = useT();
  const [content, setContent] = useState('');
  const input = useRef<HTMLTextAreaElement>(null);
  const web = useWebSearch();
  const searches = scope.webSearch && web !== null;
  const [outgoing] = useState(() => new OutgoingConfirmation(api.outgoingQuery));
  const confirmation = useSyncExternalStore(outgoing.subscribe, outgoing.snapshot);
  const ready = content.trim() !== '' && !running && confirmation === null;

  useEffect(() => {
    const element = input.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${Math.min(element.scrollHeight, MAX_HEIGHT_PX)}px`;
  }, [content]);

  function deliver(question: string, choice: WebChoice | null) {
    if (choice === null) return;
    onSend(question, choice);
    setContent('');
  }

  // The panel that had the focus is gone then.
  function decide(question: string, choice: WebChoice | null) {
    deliver(question, choice);
    if (choice !== null) input.current?.focus();
  }

  async function send() {
    if (!ready) return;
    const question = content.trim();
    if (searches && web.confirm_before_sending) deliver(question, await outgoing.begin(question));
    else deliver(question, { web_search: searches });
  }

  async function confirm() {
    if (confirmation) decide(confirmation.question, await outgoing.confirm());
  }

  function cancel() {
    outgoing.cancel();
    input.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent) {
    // While an input method composes, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  }

  return (
    <>
      {confirmation && (
        <OutgoingPanel
          confirmation={confirmation}
          running={running}
          onEdit={(draft) => outgoing.edit(draft)}
          onConfirm={() => void confirm()}
          onWithoutWeb={() => decide(confirmation.question, outgoing.withoutWeb())}
          onCancel={cancel}
        />
      )}
      <form
        className="composer"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <textarea
          ref={input}
          rows={1}
          value={content}
          // What is being confirmed must stay the question that is then asked.
          readOnly={confirmation !== null}
          maxLength={MAX_QUESTION_CHARS}
          aria-label={t('chat.input')}
          placeholder={followUp ? t('chat.placeholder_follow') : t('chat.placeholder')}
          // On a touch screen focus would open the keyboard over the page.
          autoFocus={window.matchMedia('(hover: hover)').matches}
          onChange={(event) => setContent(event.target.value)}
          onKeyDown={onKeyDown}
        />
        <div className="composer-bar">
          <KnowledgeBasePicker scope={scope} onScope={onScope} />
          <ModelPicker scope={scope} onScope={onScope} />
          {web && (
            <WebToggle
              on={scope.webSearch}
              disabled={confirmation !== null}
              onToggle={(webSearch) => onScope({ ...scope, webSearch })}
            />
          )}
          <span className="composer-hint">{t('chat.enter_hint')}</span>
          <SendButton running={running} ready={ready} onStop={onStop} />
        </div>
      </form>
    </>
  );
}

function SendButton({ running, ready, onStop }: { running: boolean; ready: boolean; onStop: () => void }) {
  const t = useT();
  const label = running ? t('chat.stop') : t('chat.send');
  return running ? (
    <button type="button" className="send" aria-label={label} title={label} onClick={onStop}>
      <Square size={15} fill="currentColor" />
    </button>
  ) : (
    <button type="submit" className="send" aria-label={label} title={label} disabled={!ready}>
      <ArrowUp size={19} />
    </button>
  );
}

function WebToggle({
  on,
  disabled,
  onToggle,
}: {
  on: boolean;
  disabled: boolean;
  onToggle: (on: boolean) => void;
}) {
  const t = useT();
  return (
    <button
      type="button"
      className="picker web-toggle"
      aria-label={t('chat.web')}
      aria-pressed={on}
      title={on ? t('chat.web_on') : t('chat.web_off')}
      disabled={disabled}
      onClick={() => onToggle(!on)}
    >
      <Globe size={15} aria-hidden="true" />
      <span>{t('chat.web')}</span>
    </button>
  );
}

type PickerProps = { scope: Scope; onScope: (scope: Scope) => void };

function KnowledgeBasePicker({ scope, onScope }: PickerProps) {
  const t = useT();
  const { data = [] } = useKnowledgeBases();
  const chosen = data.filter((item) => scope.knowledgeBaseIds.includes(item.id));
  const label =
    chosen.length === 0
      ? t('chat.kb_all')
      : chosen.length === 1
        ? (chosen[0] as KnowledgeBase).name
        : t('chat.kb_count', { n: chosen.length });
  const toggle = (id: string, on: boolean) =>
    onScope({
      ...scope,
      knowledgeBaseIds: on
        ? [...scope.knowledgeBaseIds, id]
        : scope.knowledgeBaseIds.filter((item) => item !== id),
    });
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="picker" aria-label={`${t('chat.kb_pick')}: ${label}`}>
        <BookOpen size={15} aria-hidden="true" />
        <span>{label}</span>
        <ChevronDown size={14} aria-hidden="true" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="start" sideOffset={8} collisionPadding={12}>
          <div className="menu-label">{data.length === 0 ? t('chat.kb_none') : t('chat.kb_pick_hint')}</div>
          {data.map((item) => (
            <DropdownMenu.CheckboxItem
              key={item.id}
              className="menu-item"
              checked={scope.knowledgeBaseIds.includes(item.id)}
              // Several may be chosen: the menu stays open.
              onSelect={(event) => event.preventDefault()}
              onCheckedChange={(on) => toggle(item.id, on)}
            >
              <span>
                {item.name}
                <small>{t('library.documents', { n: item.document_count })}</small>
              </span>
              <span className="menu-check">
                <DropdownMenu.ItemIndicator>
                  <Check size={16} />
                </DropdownMenu.ItemIndicator>
              </span>
            </DropdownMenu.CheckboxItem>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

const AUTOMATIC = '';

function ModelPicker({ scope, onScope }: PickerProps) {
  const t = useT();
  const { data = [] } = useModels();
  const models = data.filter((model) => model.capabilities.chat);
  const current = models.find((model) => model.id === scope.model);
  const label = current ? modelName(current, t('chat.model_quotes')) : t('chat.model_auto');
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="picker" aria-label={`${t('chat.model_pick')}: ${label}`}>
        <Cpu size={15} aria-hidden="true" />
        <span>{label}</span>
        <ChevronDown size={14} aria-hidden="true" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="start" sideOffset={8} collisionPadding={12}>
          <DropdownMenu.RadioGroup
            value={current?.id ?? AUTOMATIC}
            onValueChange={(value) => onScope({ ...scope, model: value === AUTOMATIC ? null : value })}
          >
            <ModelItem value={AUTOMATIC} label={t('chat.model_auto')} />
            {models.map((model) => (
              <ModelItem
                key={model.id}
                value={model.id}
                label={modelName(model, t('chat.model_quotes'))}
                model={model}
              />
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

const modelName = (model: Model, quoting: string) => (model.capabilities.quotes ? quoting : model.id);

/** What is said of a model that cannot answer at once. */
const STATE_NOTES = {
  available: 'chat.model_first_use',
  loading: 'chat.model_loading',
  failed: 'chat.model_failed',
  ready: null,
} as const;

function ModelItem({ value, label, model }: { value: string; label: string; model?: Model }) {
  const t = useT();
  const note = model ? STATE_NOTES[model.state] : null;
  const signs = model ? capabilitiesOf(model).filter((name) => name !== 'embed' && name !== 'rerank') : [];
  return (
    <DropdownMenu.RadioItem className="menu-item model-item" value={value}>
      <span>
        {label}
        {note && <small>{t(note)}</small>}
        {signs.length > 0 && (
          <span className="signs">
            {signs.map((name) => (
              <span key={name} className="badge">
                {t(`models.can_${name}`)}
              </span>
            ))}
          </span>
        )}
      </span>
      <span className="menu-check">
        <DropdownMenu.ItemIndicator>
          <Check size={16} />
        </DropdownMenu.ItemIndicator>
      </span>
    </DropdownMenu.RadioItem>
  );
}
