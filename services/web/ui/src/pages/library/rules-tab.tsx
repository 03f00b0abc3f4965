import type { KnowledgeBase } from '../../api/types';
import { LabelsCard } from './labels-card';
import { SensitiveCard } from './sensitive-card';
import './rules.css';

/** What a knowledge base does with its documents: sensitive content, and labels. */
export function RulesTab({ base }: { base: KnowledgeBase }) {
  return (
    <div className="rules">
      <SensitiveCard base={base} />
      <LabelsCard baseId={base.id} />
    </div>
  );
}
