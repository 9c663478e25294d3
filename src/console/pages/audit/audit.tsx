import { Download, ScrollText } from 'lucide-react';
import { useState } from 'react';
import { urlOf } from '../../api/client.ts';
import { useList } from '../../api/queries.ts';
import { useActorName, useKnownActors } from '../../app/actors.ts';
import { dateTime } from '../../app/format.ts';
import { useLanguage, useT, words } from '../../app/i18n.ts';
import { betweenDays, useSearchState } from '../../app/search-state.ts';
import { COMMON, FILTERS } from '../../app/words.ts';
import { Empty } from '../../ui/banner.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { FilterDay, FilterSelect } from '../../ui/field.tsx';
import { Card, Page, Row } from '../../ui/layout.tsx';
import { Listed } from '../../ui/listed.tsx';
import { Table } from '../../ui/table.tsx';
import { Detail } from './detail.tsx';
import { AuditObject } from './object.tsx';
import { Wholeness } from './wholeness.tsx';

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
  entries: ['Entries', '기록'],
  details: ['Details', '세부 정보'],
  show: ['Show', '보기'],
  hide: ['Hide', '숨기기'],
  empty: ['Nothing has been done yet', '아직 기록이 없습니다'],
  noMatch: ['No entry matches', '일치하는 기록이 없습니다'],
  anybody: ['Everybody', '모든 작업자'],
  anything: ['Everything', '모든 작업'],
  download: ['Download', '다운로드'],
});

/** What the actions of a noun are about. */
const NOUNS = words({
  provider: ['Sources', '소스'],
  run: ['Runs', '실행'],
  plan: ['Plans', '계획'],
  schedule: ['Schedule', '일정'],
  guard: ['Large-change limits', '대량 변경 제한'],
  app: ['Apps', '앱'],
  target: ['Push targets', '푸시 대상'],
  delivery: ['Deliveries', '전송'],
  webhook: ['Webhooks', '웹후크'],
  events: ['Event tokens', '이벤트 토큰'],
  token: ['Tokens', '토큰'],
  session: ['Sign-in', '로그인'],
  directory: ['Directory', '디렉터리'],
  user: ['Users', '사용자'],
  group: ['Groups', '그룹'],
  dispute: ['Open questions', '미결 사항'],
});
const NOUN_NAMES = Object.keys(NOUNS) as (keyof typeof NOUNS)[];
const NARROWED_BY = ['actor', 'action', 'since', 'until'] as const;

const ACTIONS = words({
  'provider.configure': ['Saved the settings of a source', '소스 설정 저장'],
  'provider.activate': ['Turned a source on', '소스 켜기'],
  'provider.connect': ['Approved at the source', '소스에서 승인'],
  'provider.impact': ['Looked at a switch of source', '소스 전환 검토'],
  'provider.upload': ['Uploaded a file', '파일 업로드'],
  'budget.change': ['Changed the budget', '예산 변경'],
  'retention.apply': ['Deleted what was kept long enough', '보관 기간이 지난 항목 삭제'],
  'signing-key.rotate': ['Rotated the signing key', '서명 키 교체'],
  'provider.deactivate': ['Turned a source off', '소스 끄기'],
  'provider.remove': ['Removed the settings of a source', '소스 설정 삭제'],
  'run.start': ['Started a run', '실행 시작'],
  'run.cancel': ['Stopped a run', '실행 중지'],
  'run.revert': ['Undid a run', '실행 되돌리기'],
  'plan.approve': ['Confirmed a plan', '계획 확인'],
  'plan.reject': ['Discarded a plan', '계획 폐기'],
  'schedule.change': ['Changed the schedule', '일정 변경'],
  'guard.change': ['Changed the large-change limits', '대량 변경 제한 변경'],
  'directory.change': ['Changed the directory settings', '디렉터리 설정 변경'],
  'user.create': ['Added a user by hand', '사용자 직접 추가'],
  'user.change': ['Changed a user by hand', '사용자 직접 변경'],
  'user.delete': ['Removed a user by hand', '사용자 직접 삭제'],
  'group.create': ['Added a group by hand', '그룹 직접 추가'],
  'group.change': ['Changed a group by hand', '그룹 직접 변경'],
  'group.delete': ['Removed a group by hand', '그룹 직접 삭제'],
  'journal.adopted': ['Put the journal in order after a restore', '복원 후 변경 기록 순서 재정렬'],
  'database.moved': ['Moved the database', '데이터베이스 이전'],
  'secrets.forget': ['Gave up the lost key that credentials were sealed with', '자격 증명을 봉인한 분실된 키를 포기'],
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
  'delivery.resend': ['Sent again what had arrived', '도착한 항목 다시 전송'],
  'delivery.drop': ['Dropped dead letters', '배달 불가 폐기'],
  'webhook.replay': ['Sent messages again', '메시지 다시 전송'],
  'webhook.resume': ['Resumed a webhook', '웹후크 다시 시작'],
  'webhook.rotate': ['Rotated a signing secret', '서명 비밀 교체'],
  'events.replay': ['Sent tokens again', '토큰 다시 전송'],
  'events.verify': ['Asked for a verification event', '확인 이벤트 요청'],
  'events.resume': ['Resumed event tokens', '이벤트 토큰 다시 시작'],
  'token.create': ['Made a token', '토큰 생성'],
  'token.revoke': ['Revoked a token', '토큰 폐기'],
  'diagnostics.bundle': ['Downloaded the diagnostics bundle', '진단 번들 다운로드'],
  'session.open': ['Signed in', '로그인'],
  'session.end': ['Signed out', '로그아웃'],
  'draft.save': ['Kept a draft of settings', '설정 초안 저장'],
  'draft.delete': ['Dropped a draft', '초안 삭제'],
  'dispute.adopt': ['Said that two are the same', '동일인으로 결정'],
  'dispute.refuse': ['Said that two are not the same', '다른 사람으로 결정'],
  'user.restore': ['Restored a user', '사용자 복원'],
  'group.restore': ['Restored a group', '그룹 복원'],
  'pin.release': ['Released a pin', '고정 해제'],
});

export function AuditPage() {
  const t = useT(WORDS);
  const actions = useT(ACTIONS);
  const language = useLanguage();
  const actor = useActorName();
  const common = useT(COMMON);
  const [search, change] = useSearchState();
  const query = { actor: search['actor'], action: search['action'], ...betweenDays(search) };
  const list = useList('GET /audit', { query: query as never });
  const filtered = NARROWED_BY.some((name) => search[name] !== undefined);
  const [open, setOpen] = useState<string | undefined>(undefined);
  return (
    <Page
      title={t('title')}
      lead={t('lead')}
      actions={
        <>
          <Wholeness />
          <a className={buttonClass()} href={urlOf('GET /audit', {}, { ...query, format: 'csv' } as never)} download>
            <Download size={16} aria-hidden />
            {t('download')}
          </a>
        </>
      }
    >
      <Card flush title={t('entries')} actions={<Filters />}>
        <Listed
          list={list}
          lines={8}
          empty={
            <Empty
              icon={<ScrollText size={26} />}
              title={t(filtered ? 'noMatch' : 'empty')}
              action={
                filtered ? (
                  <Button onClick={() => change(Object.fromEntries(NARROWED_BY.map((name) => [name, undefined])))}>
                    {common('clear')}
                  </Button>
                ) : undefined
              }
            />
          }
        >
          <Table
            label={t('title')}
            old={list.isPlaceholderData}
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
              { name: t('object'), cell: (entry) => <AuditObject entry={entry} /> },
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
        </Listed>
      </Card>
    </Page>
  );
}

/** What the list is narrowed to, kept in the address. */
function Filters() {
  const t = useT(WORDS);
  const nouns = useT(NOUNS);
  const filters = useT(FILTERS);
  const actors = useKnownActors();
  const nameOf = useActorName();
  const [search, change] = useSearchState();
  return (
    <Row>
      <FilterSelect
        label={t('who')}
        value={search['actor'] ?? ''}
        onChange={(actor) => change({ actor })}
        options={[['', t('anybody')], ...actors.map((actor) => [actor, nameOf(actor)] as const)]}
      />
      <FilterSelect
        label={t('what')}
        value={search['action'] ?? ''}
        onChange={(action) => change({ action })}
        options={[['', t('anything')], ...NOUN_NAMES.map((noun) => [noun, nouns(noun)] as const)]}
      />
      <FilterDay label={filters('since')} value={search['since'] ?? ''} onChange={(since) => change({ since })} />
      <FilterDay label={filters('until')} value={search['until'] ?? ''} onChange={(until) => change({ until })} />
    </Row>
  );
}
