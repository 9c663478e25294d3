import { useMutation } from '@tanstack/react-query';
import { ShieldCheck } from 'lucide-react';
import { useState } from 'react';
import { type Answer, type ApiError, call } from '../../api/client.ts';
import { count } from '../../app/format.ts';
import { useLanguage, useT, words } from '../../app/i18n.ts';
import { COMMON } from '../../app/words.ts';
import { Banner, Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Refusal } from '../../ui/loaded.tsx';

const WORDS = words({
  check: ['Check that it is whole', '무결성 확인'],
  title: ['Is the log whole?', '로그가 온전합니까?'],
  whole: ['The log is whole', '로그가 온전합니다'],
  wholeText: [
    '{entries} {n|entry|entries}, each bound to the one before by a hash. Keep this one elsewhere to prove later that nothing was changed:',
    '기록 {entries}개가 해시로 앞의 기록과 연결되어 있습니다. 나중에 변경되지 않았음을 증명하려면 다음 값을 다른 곳에 보관하세요:',
  ],
  broken: ['The log was changed from outside', '로그가 외부에서 변경되었습니다'],
  brokenText: [
    'Entry {at} does not fit the one before. Compare the database with a backup from before it.',
    '기록 {at}이(가) 앞의 기록과 맞지 않습니다. 이전 백업과 데이터베이스를 비교하세요.',
  ],
});

type Answered = Answer<'GET /audit/verification'>;

/** Finds out, when asked, whether anybody changed the log behind the gateway's back: every entry is read for it. */
export function Wholeness() {
  const t = useT(WORDS);
  const common = useT(COMMON);
  const [open, setOpen] = useState(false);
  const check = useMutation<Answered, ApiError>({ mutationFn: () => call('GET /audit/verification') });
  return (
    <>
      <Button
        icon={<ShieldCheck size={16} />}
        onClick={() => {
          setOpen(true);
          check.mutate();
        }}
      >
        {t('check')}
      </Button>
      <Dialog
        open={open}
        onClose={() => setOpen(false)}
        title={t('title')}
        foot={<Button onClick={() => setOpen(false)}>{common('close')}</Button>}
      >
        <Refusal error={check.error} />
        {check.data === undefined ? (
          check.error === null ? (
            <Skeleton lines={2} />
          ) : null
        ) : (
          <Verdict found={check.data} />
        )}
      </Dialog>
    </>
  );
}

function Verdict({ found: { ok, entries, head, brokenAt } }: { readonly found: Answered }) {
  const t = useT(WORDS);
  const language = useLanguage();
  if (!ok)
    return (
      <Banner tone="red" title={t('broken')}>
        {t('brokenText', { at: brokenAt?.id ?? '?' })}
      </Banner>
    );
  return (
    <Banner tone="green" title={t('whole')}>
      {t('wholeText', { n: entries, entries: count(entries, language) })}{' '}
      <code style={{ overflowWrap: 'anywhere' }}>{head?.hash ?? '–'}</code>
    </Banner>
  );
}
