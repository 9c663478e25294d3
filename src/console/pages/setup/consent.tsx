import { ShieldCheck } from 'lucide-react';
import { call } from '../../api/client.ts';
import { useT, words } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { Banner } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Stack } from '../../ui/layout.tsx';
import { Refusal } from '../../ui/loaded.tsx';
import { useAttempt } from './attempt.ts';
import { fromM365, type M365 } from './model.ts';

const WORDS = words({
  ask: ['Approve in Microsoft…', 'Microsoft에서 승인…'],
  note: [
    'A Global Administrator of the tenant approves the permissions there and comes back here. What you entered is kept.',
    '테넌트의 전역 관리자가 권한을 승인하고 여기로 돌아옵니다. 입력한 내용은 보관됩니다.',
  ],
  first: ['Enter the application (client) id first.', '애플리케이션(클라이언트) ID를 먼저 입력하세요.'],
  done: ['The permissions are approved', '권한이 승인되었습니다'],
  doneText: [
    'Enter how the application signs in if you have not, check the connection, and go on.',
    '로그인 방법을 아직 입력하지 않았다면 입력하고 연결을 확인한 뒤 계속하세요.',
  ],
  declined: ['The administrator declined the permissions', '관리자가 권한을 거부했습니다'],
  'tenant-mismatch': ['An administrator of another tenant has approved', '다른 테넌트의 관리자가 승인했습니다'],
  failed: ['Microsoft did not approve', 'Microsoft에서 승인되지 않았습니다'],
  again: [
    'Start again, and sign in with a Global Administrator of the tenant that you entered.',
    '다시 시작하고 입력한 테넌트의 전역 관리자로 로그인하세요.',
  ],
});

/** The way to Microsoft, where an administrator of the tenant approves the permissions, and what came of it. */
export function Consent({ value }: { readonly value: M365 }) {
  const t = useT(WORDS);
  const needs = useNeeds('admin');
  const { error, busy, attempt } = useAttempt();
  const { tenantId, clientId, cloud, endpoints } = value;

  const leave = (): Promise<void> =>
    attempt(async () => {
      const { pathname } = window.location;
      if (pathname.endsWith('/setup')) await keep(value);
      const application = { clientId, cloud, ...(tenantId === '' ? {} : { tenantId }), ...given(endpoints) };
      const { connectUrl } = await call('POST /providers/{kind}/connect', {
        path: { kind: 'microsoft365' },
        body: { returnTo: `${pathname}?${pathname.endsWith('/setup') ? 'step' : 'tab'}=connect`, application },
      });
      window.location.assign(connectUrl);
    });

  return (
    <Stack>
      <Answer />
      <Refusal error={error} />
      <div>
        <Button
          icon={<ShieldCheck size={16} />}
          off={clientId.trim() === '' ? t('first') : needs}
          busy={busy}
          onClick={() => void leave()}
        >
          {t('ask')}
        </Button>
      </div>
      <p style={{ color: 'var(--muted)' }}>{t('note')}</p>
    </Stack>
  );
}

/** Saved as the next step would, the secret with it; what is not whole yet is kept as a draft, without the secret. */
async function keep(value: M365): Promise<void> {
  const path = { kind: 'microsoft365' } as const;
  const saved = await call('PUT /providers/{kind}', { path, body: fromM365(value) as never }).then(
    () => true,
    () => false,
  );
  const { kind } = value.credential;
  const settings = fromM365(saved ? value : { ...value, credential: { kind } });
  await call('PUT /providers/{kind}/draft', { path, body: { step: 'connect', settings } });
}

function given(endpoints: M365['endpoints']): Pick<M365, 'endpoints'> {
  return endpoints === undefined || endpoints.login === '' ? {} : { endpoints };
}

/** With what the browser came back from Microsoft. */
function Answer() {
  const t = useT(WORDS);
  const [search] = useSearchState();
  if (search['connected'] !== undefined)
    return (
      <Banner tone="green" title={t('done')}>
        {t('doneText')}
      </Banner>
    );
  if (search['connect-failed'] === undefined) return null;
  const code = search['code'];
  const word = code === 'consent-declined' ? 'declined' : code === 'tenant-mismatch' ? code : 'failed';
  return (
    <Banner tone="red" title={t(word)}>
      {t('again')}
    </Banner>
  );
}
