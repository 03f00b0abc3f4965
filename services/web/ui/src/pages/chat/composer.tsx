import { ArrowUp, BookOpen, Check, ChevronDown, Cpu, Square } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import type { KnowledgeBase, Model } from '../../api/types';
import { useT } from '../../i18n/use';
import { useKnowledgeBases, useModels } from '../../state/queries';

export interface Scope {
  knowledgeBaseIds: readonly string[];
  model: string | null;
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
  onSend: (content: string) => void;
  onStop: () => void;
}) {
  const t = useT();
  const [content, setContent] = useState('');
  const input = useRef<HTMLTextAreaElement>(null);
  const ready = content.trim() !== '' && !running;

  useEffect(() => {
    const element = input.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${Math.min(element.scrollHeight, MAX_HEIGHT_PX)}px`;
  }, [content]);

  function send() {
    if (!ready) return;
    onSend(content.trim());
    setContent('');
  }

  function onKeyDown(event: KeyboardEvent) {
    // While an input method composes, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  }

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        ref={input}
        rows={1}
        value={content}
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
        <span className="composer-hint">{t('chat.enter_hint')}</span>
        {running ? (
          <button
            type="button"
            className="send"
            aria-label={t('chat.stop')}
            title={t('chat.stop')}
            onClick={onStop}
          >
            <Square size={15} fill="currentColor" />
          </button>
        ) : (
          <button
            type="submit"
            className="send"
            aria-label={t('chat.send')}
            title={t('chat.send')}
            disabled={!ready}
          >
            <ArrowUp size={19} />
          </button>
        )}
      </div>
    </form>
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
              <ModelItem key={model.id} value={model.id} label={modelName(model, t('chat.model_quotes'))} />
            ))}
          </DropdownMenu.RadioGroup>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

const modelName = (model: Model, quoting: string) => (model.capabilities.quotes ? quoting : model.id);

function ModelItem({ value, label }: { value: string; label: string }) {
  return (
    <DropdownMenu.RadioItem className="menu-item" value={value}>
      {label}
      <span className="menu-check">
        <DropdownMenu.ItemIndicator>
          <Check size={16} />
        </DropdownMenu.ItemIndicator>
      </span>
    </DropdownMenu.RadioItem>
  );
}
