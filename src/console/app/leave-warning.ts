import { useBlocker } from '@tanstack/react-router';
import { useT, words } from './i18n.ts';

const WORDS = words({
  ask: ['What you changed is not saved. Leave all the same?', '변경한 내용이 저장되지 않았습니다. 그래도 나갈까요?'],
});

/** Leaving the page with changes asks first; another tab or filter of the same page does not. */
export function useLeaveWarning(changed: boolean, stays: (next: { search: unknown }) => boolean = () => false): void {
  const t = useT(WORDS);
  useBlocker({
    shouldBlockFn: ({ current, next }) =>
      !(current.pathname === next.pathname && stays(next)) && !window.confirm(t('ask')),
    enableBeforeUnload: changed,
    disabled: !changed,
  });
}

/** Another page comes once this is done; where it fails, it asks as above. */
export function useKeepOnLeave(keep: () => Promise<void>): void {
  const t = useT(WORDS);
  useBlocker({
    shouldBlockFn: async ({ current, next }) => {
      if (current.pathname === next.pathname) return false;
      return keep().then(
        () => false,
        () => !window.confirm(t('ask')),
      );
    },
    enableBeforeUnload: false,
  });
}
