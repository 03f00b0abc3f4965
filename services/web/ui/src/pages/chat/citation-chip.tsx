import { Tooltip } from 'radix-ui';
import type { Source } from '../../api/types';
import { useT } from '../../i18n/use';
import { pageLabel } from './source-text';
import { flatText } from '../../viewer/blocks';

/** A numbered citation: hovering shows the passage, opening it shows the page. */
export function CitationChip({ source, onOpen }: { source: Source; onOpen: () => void }) {
  const t = useT();
  return (
    <Tooltip.Root delayDuration={250}>
      <Tooltip.Trigger asChild>
        <button
          type="button"
          className="chip"
          aria-label={t('answer.citation', { n: source.n, title: source.title })}
          onClick={onOpen}
        >
          {source.n}
        </button>
      </Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className="preview" sideOffset={6} collisionPadding={12}>
          <strong>{source.title}</strong>
          <small>{pageLabel(t, source)}</small>
          <p>{flatText(source.excerpt)}</p>
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
