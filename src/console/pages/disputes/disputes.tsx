import { CircleHelp } from 'lucide-react';
import { useCall, useList } from '../../api/queries.ts';
import type { Dispute } from '../../api/types.ts';
import { initials, relative } from '../../app/format.ts';
import { useLanguage, useT, words } from '../../app/i18n.ts';
import { useSearchState } from '../../app/search-state.ts';
import { useNeeds } from '../../app/session.tsx';
import { PROVIDERS } from '../../app/words.ts';
import { Badge, Who } from '../../ui/badge.tsx';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Chips } from '../../ui/field.tsx';
import { Card, Page, Row, Stack } from '../../ui/layout.tsx';
import { Failure, Refusal } from '../../ui/loaded.tsx';
import { More } from '../../ui/table.tsx';

const WORDS = words({
  title: ['Open questions', '미결 사항'],
  lead: [
    'A record of the source and an account here seem to be the same. You say whether they are.',
    '소스의 레코드와 여기의 계정이 같은 것으로 보입니다. 같은지 알려 주세요.',
  ],
  state: ['State', '상태'],
  open: ['Open', '미결'],
  adopted: ['The same', '동일'],
  refused: ['Not the same', '다름'],
  none: ['No question is open', '미결 사항이 없습니다'],
  noneDecided: ['Nothing was decided so yet', '아직 그렇게 결정한 항목이 없습니다'],
  noneText: ['Accounts and records match without doubt.', '계정과 레코드가 분명하게 일치합니다.'],
  record: ['{name} of {provider} looks like', '{provider}의 {name}과(와) 유사한 계정'],
  same: ['The same by {attribute}', '{attribute} 일치'],
  itIs: ['It is this one', '이 계정입니다'],
  itIsNot: ['It is none of them', '해당 없음'],
  asked: ['Asked {t}', '{t} 발생'],
});

export function DisputesPage() {
  const t = useT(WORDS);
  const [search, change] = useSearchState();
  const status = search['status'] ?? 'open';
  const list = useList('GET /disputes', { query: { status } as never });
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      actions={
        <Chips
          label={t('state')}
          value={status}
          onChange={(next) => change({ status: next === 'open' ? undefined : next })}
          options={(['open', 'adopted', 'refused'] as const).map((name) => [name, t(name)] as const)}
        />
      }
    >
      {list.error !== null && list.items.length === 0 ? (
        <Failure error={list.error} onRetry={() => void list.refetch()} />
      ) : list.isPending ? (
        <Skeleton />
      ) : list.items.length === 0 ? (
        <Card flush>
          {status === 'open' ? (
            <Empty icon={<CircleHelp size={26} />} title={t('none')}>
              {t('noneText')}
            </Empty>
          ) : (
            <Empty icon={<CircleHelp size={26} />} title={t('noneDecided')} />
          )}
        </Card>
      ) : (
        list.items.map((dispute) => <Question key={dispute.id} dispute={dispute} />)
      )}
      <More list={list} />
    </Page>
  );
}

function Question({ dispute }: { readonly dispute: Dispute }) {
  const t = useT(WORDS);
  const names = useT(PROVIDERS);
  const language = useLanguage();
  const needs = useNeeds('operator');
  const adopt = useCall('POST /disputes/{id}/adopt');
  const refuse = useCall('POST /disputes/{id}/refuse');
  const path = { id: dispute.id };
  const waits = dispute.status === 'open';
  return (
    <Card
      title={t('record', {
        name: dispute.label ?? dispute.externalId,
        provider: names(dispute.provider as keyof typeof PROVIDERS),
      })}
      note={t('asked', { t: relative(dispute.createdAt, language) })}
      actions={
        waits ? (
          <Button off={needs} busy={refuse.isPending} onClick={() => refuse.mutate({ path })}>
            {t('itIsNot')}
          </Button>
        ) : (
          <Badge tone={dispute.status === 'adopted' ? 'green' : 'grey'}>{t(dispute.status)}</Badge>
        )
      }
    >
      <Stack>
        <Refusal error={adopt.error ?? refuse.error} />
        {dispute.candidates.map((candidate) => (
          <Row key={candidate.id}>
            <Who
              mark={initials(candidate.label)}
              name={candidate.label}
              note={names(candidate.origin as keyof typeof PROVIDERS)}
            />
            <Badge>{t('same', { attribute: dispute.attribute })}</Badge>
            {waits ? (
              <Button
                small
                off={needs}
                busy={adopt.isPending}
                onClick={() => adopt.mutate({ path, body: { resourceId: candidate.id } })}
              >
                {t('itIs')}
              </Button>
            ) : null}
          </Row>
        ))}
      </Stack>
    </Card>
  );
}
