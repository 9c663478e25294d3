import {
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleSlash,
  Eye,
  LoaderCircle,
  ShieldAlert,
  TriangleAlert,
} from 'lucide-react';
import type { Run } from '../api/types.ts';
import { useT } from '../app/i18n.ts';
import { isPreview, STATUS_TONE } from '../app/run-facts.ts';
import { STATUS } from '../app/words.ts';
import { Badge } from './badge.tsx';

const ICONS = {
  queued: CircleDashed,
  running: LoaderCircle,
  held: ShieldAlert,
  succeeded: CircleCheck,
  failed: CircleAlert,
  cancelled: CircleSlash,
  abandoned: CircleSlash,
  incomplete: TriangleAlert,
} as const;

/** How a run stands, in a word, a colour and a sign. */
export function RunStatus({
  run,
  decided = false,
}: {
  readonly run: Pick<Run, 'status' | 'preview' | 'steps'>;
  /** Somebody has confirmed or discarded its plan, so it is no preview any more although it may have had nothing to do. */
  readonly decided?: boolean;
}) {
  const t = useT(STATUS);
  if (!decided && isPreview(run))
    return (
      <Badge tone="blue" icon={<Eye size={14} aria-hidden />}>
        {t('preview')}
      </Badge>
    );
  const Icon = ICONS[run.status];
  return (
    <Badge tone={STATUS_TONE[run.status]} icon={<Icon size={14} aria-hidden />}>
      {t(run.status)}
    </Badge>
  );
}
