import { Tooltip } from 'radix-ui';
import type { Source } from '../../api/types';
import { useT } from '../../i18n/use';
import { citationLabel, placeLabel, sourceTitle } from './source-text';
import { flatText } from '../../viewer/blocks';

/** A numbered citation: hovering shows the passage, opening it shows where it stands. */
export function CitationChip({ source, onOpen }: { source: Source; onOpen: () => void }) {
  const t = useT();
  return (
    <Tooltip.Root delayDuration={250}>
      <Tooltip.Trigger asChild>
        <button type="button" className="chip" aria-label={citationLabel(t, source)} onClick={onOpen}>
          {source.n}
        </button>
      </Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Content className="preview" sideOffset={6} collisionPadding={12}>
          <strong>{sourceTitle(source)}</strong>
          <small>{placeLabel(t, source)}</small>
          <p>{flatText(source.excerpt)}</p>
        </Tooltip.Content>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
