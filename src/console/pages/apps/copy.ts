import { say } from '../../app/i18n.ts';
import { toast } from '../../ui/toast.tsx';

const REFUSED = [
  'It could not be copied: select the text and copy it.',
  '복사하지 못했습니다. 텍스트를 선택하여 복사하세요.',
] as const;

/** Puts a text on the clipboard, and says so; or that the browser does not let us, as by http from another machine. */
export async function copy(text: string, said: string): Promise<void> {
  const isCopied = await Promise.resolve()
    .then(() => navigator.clipboard.writeText(text))
    .then(
      () => true,
      () => false,
    );
  if (isCopied) toast(said);
  else toast(say(REFUSED), { tone: 'red' });
}
