import { FileQuestion } from 'lucide-react';
import { Link } from 'wouter';
import { useT } from '../i18n/use';
import { EmptyState } from '../kit/controls';

export function MissingPage() {
  const t = useT();
  return (
    <EmptyState
      heading="h1"
      icon={<FileQuestion size={40} strokeWidth={1.3} />}
      title={t('missing.title')}
      text={t('missing.text')}
    >
      <Link href="/" className="button button-plain">
        {t('missing.home')}
      </Link>
    </EmptyState>
  );
}
