import { ChevronDown } from 'lucide-react';
import { span } from '../app/format.ts';
import { useLanguage, useT, words } from '../app/i18n.ts';
import { Badge } from './badge.tsx';
import css from './exchanges.module.css';

const WORDS = words({
  request: ['Request', '요청'],
  response: ['Response', '응답'],
  noBody: ['No body', '본문 없음'],
  noAnswer: ['Nothing was answered', '응답 없음'],
  sent: ['Would be sent', '전송 예정'],
  none: ['None', '없음'],
  in: ['{status} in {t}', '{status}, {t}'],
  left: ['The answer of what went well is not kept.', '정상 처리된 응답은 보관하지 않습니다.'],
  show: ['Show request and response', '요청 및 응답 보기'],
});

export interface ShownExchange {
  readonly at?: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly status: number | null;
  readonly ms: number | null;
  readonly request: string | null;
  readonly response: string | null;
  readonly note?: string | undefined;
}

/** Requests and what came back, each unfolds. The newest first. */
export function Exchanges({
  items,
  dry = false,
  open = false,
  when,
}: {
  readonly items: readonly ShownExchange[];
  /** Nothing of it was sent. */
  readonly dry?: boolean;
  /** The first is unfolded. */
  readonly open?: boolean;
  readonly when?: (at: string) => string;
}) {
  return (
    <ul className={css.list}>
      {items.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same request may come twice
        <li key={index}>
          <details open={open && index === 0}>
            <summary>
              <Status status={item.status} dry={dry && item.method !== 'GET'} />
              <b>{item.method}</b>
              <code>{item.path}</code>
              <small>{item.at === undefined || when === undefined ? null : when(item.at)}</small>
              <ChevronDown size={15} aria-hidden />
            </summary>
            <Body item={item} dry={dry} />
          </details>
        </li>
      ))}
    </ul>
  );
}

function Status({ status, dry }: { readonly status: number | null; readonly dry: boolean }) {
  const t = useT(WORDS);
  if (dry) return <Badge tone="blue">{t('sent')}</Badge>;
  if (status === null) return <Badge tone="red">{t('none')}</Badge>;
  return <Badge tone={status < 300 ? 'green' : status < 400 ? 'amber' : 'red'}>{status}</Badge>;
}

function Body({ item, dry }: { readonly item: ShownExchange; readonly dry: boolean }) {
  const t = useT(WORDS);
  const language = useLanguage();
  const isSent = !(dry && item.method !== 'GET');
  const took = item.ms === null ? '' : span(item.ms, language);
  const answered = item.status !== null && item.status < 300 ? t('left') : t('noAnswer');
  return (
    <div className={css.body}>
      <h4>{t('request')}</h4>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <pre tabIndex={0}>{item.request === null ? t('noBody') : pretty(item.request)}</pre>
      {isSent ? (
        <>
          <h4>
            {t('response')}
            {item.status === null ? '' : ` · ${t('in', { status: item.status, t: item.ms === null ? '–' : took })}`}
          </h4>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the same */}
          <pre tabIndex={0}>
            {item.response === null || item.response === '' ? (item.note ?? answered) : pretty(item.response)}
          </pre>
        </>
      ) : null}
    </div>
  );
}

/** JSON on lines of its own; what is none, or cut, as it came. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
