import { ScrollText } from 'lucide-react';
import { useState } from 'react';
import { type ItemOf, useList } from '../../api/queries.ts';
import { useActorName } from '../../app/actors.ts';
import { dateTime } from '../../app/format.ts';
import { useLanguage, useT, words } from '../../app/i18n.ts';
import { Empty, Skeleton } from '../../ui/banner.tsx';
import { Button } from '../../ui/button.tsx';
import { Card, Page, Pairs } from '../../ui/layout.tsx';
import { Failure } from '../../ui/loaded.tsx';
import { More, Table } from '../../ui/table.tsx';
import { textOf } from '../run/field-changes.tsx';

const WORDS = words({
  title: ['Audit log', '감사 로그'],
  lead: [
    'Who did what, and when. Nothing here can be changed.',
    '누가 언제 무엇을 했는지 보여 줍니다. 변경할 수 없습니다.',
  ],
  when: ['When', '시각'],
  who: ['Who', '작업자'],
  what: ['What', '작업'],
  object: ['To what', '대상'],
  details: ['Details', '세부 정보'],
  show: ['Show', '보기'],
  hide: ['Hide', '숨기기'],
  empty: ['Nothing has been done yet', '아직 기록이 없습니다'],
});

const ACTIONS = words({
  'provider.configure': ['Saved the settings of a source', '소스 설정 저장'],
  'provider.activate': ['Turned a source on', '소스 켜기'],
  'provider.deactivate': ['Turned a source off', '소스 끄기'],
  'run.start': ['Started a run', '실행 시작'],
  'run.cancel': ['Stopped a run', '실행 중지'],
  'run.revert': ['Undid a run', '실행 되돌리기'],
  'plan.approve': ['Confirmed a plan', '계획 확인'],
  'plan.reject': ['Discarded a plan', '계획 폐기'],
  'schedule.change': ['Changed the schedule', '일정 변경'],
  'guard.change': ['Changed the large-change limits', '대량 변경 제한 변경'],
  'directory.change': ['Changed the directory settings', '디렉터리 설정 변경'],
  'journal.adopted': ['Put the journal in order after a restore', '복원 후 변경 기록 순서 재정렬'],
  'database.moved': ['Moved the database', '데이터베이스 이전'],
  'secrets.reseal': ['Sealed the stored credentials with the new key', '저장된 자격 증명을 새 키로 다시 봉인'],
  'retention.change': ['Changed what is kept', '보관 기간 변경'],
  'notifications.change': ['Changed the notifications', '알림 변경'],
  'app.create': ['Added an app', '앱 추가'],
  'app.change': ['Changed an app', '앱 변경'],
  'app.delete': ['Removed an app', '앱 제거'],
  'target.pause': ['Paused a push target', '푸시 대상 일시 중지'],
  'target.resume': ['Resumed a push target', '푸시 대상 다시 시작'],
  'target.reconcile': ['Asked for a comparison', '비교 요청'],
  'target.provision': ['Provisioned one object', '항목 하나 프로비저닝'],
  'target.clear': ['Cleared what a target remembers', '대상 기억 지움'],
  'target.departures.allow': ['Let departures go', '이탈 허용'],
  'target.departures.reject': ['Kept departures', '이탈 보류 유지'],
  'target.quarantined': ['A target went into quarantine', '대상 격리됨'],
  'target.recovered': ['A target came back', '대상 복구됨'],
  'target.disabled': ['A target was switched off', '대상 꺼짐'],
  'delivery.replay': ['Sent deliveries again', '전송 다시 시도'],
  'delivery.drop': ['Dropped dead letters', '배달 불가 폐기'],
  'webhook.replay': ['Sent messages again', '메시지 다시 전송'],
  'webhook.resume': ['Resumed a webhook', '웹훅 다시 시작'],
  'webhook.rotate': ['Rotated a signing secret', '서명 비밀 교체'],
  'events.replay': ['Sent tokens again', '토큰 다시 전송'],
  'events.resume': ['Resumed event tokens', '이벤트 토큰 다시 시작'],
  'token.create': ['Made a token', '토큰 생성'],
  'token.revoke': ['Revoked a token', '토큰 취소'],
  'session.open': ['Signed in', '로그인'],
  'session.end': ['Signed out', '로그아웃'],
  'draft.delete': ['Dropped a draft', '초안 삭제'],
  'dispute.adopt': ['Said that two are the same', '동일인으로 결정'],
  'dispute.refuse': ['Said that two are not the same', '다른 사람으로 결정'],
  'pin.release': ['Released a pin', '고정 해제'],
});

type Entry = ItemOf<'GET /audit'>;

export function AuditPage() {
  const t = useT(WORDS);
  const actions = useT(ACTIONS);
  const language = useLanguage();
  const actor = useActorName();
  const list = useList('GET /audit');
  const [open, setOpen] = useState<string | undefined>(undefined);
  return (
    <Page title={t('title')} lead={t('lead')}>
      <Card flush>
        {list.error !== null && list.items.length === 0 ? (
          <Failure error={list.error} onRetry={() => void list.refetch()} />
        ) : list.isPending ? (
          <Skeleton lines={8} />
        ) : list.items.length === 0 ? (
          <Empty icon={<ScrollText size={26} />} title={t('empty')} />
        ) : (
          <Table
            first
            label={t('title')}
            items={list.items}
            keyOf={({ id }) => id}
            detail={(entry) => (open === entry.id ? <Detail entry={entry} /> : undefined)}
            columns={[
              { name: t('when'), cell: (entry) => dateTime(entry.at, language) },
              { name: t('who'), cell: (entry) => actor(entry.actor) },
              {
                name: t('what'),
                cell: (entry) =>
                  entry.action in ACTIONS ? actions(entry.action as keyof typeof ACTIONS) : entry.action,
              },
              { name: t('object'), cell: (entry) => <code>{entry.object ?? '–'}</code> },
              {
                name: t('details'),
                end: true,
                cell: (entry) =>
                  entry.detail === null ? (
                    '–'
                  ) : (
                    <Button
                      look="quiet"
                      small
                      aria-expanded={open === entry.id}
                      onClick={() => setOpen(open === entry.id ? undefined : entry.id)}
                    >
                      {t(open === entry.id ? 'hide' : 'show')}
                    </Button>
                  ),
              },
            ]}
          />
        )}
        <More list={list} />
      </Card>
    </Page>
  );
}

function Detail({ entry }: { readonly entry: Entry }) {
  return (
    <Pairs
      items={Object.entries((entry.detail ?? {}) as Record<string, unknown>).map(
        ([name, value]) => [name, textOf(value)] as const,
      )}
    />
  );
}
