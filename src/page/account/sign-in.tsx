/** The form that asks who somebody is, shown where something was refused. */
import { useRef, useState } from 'preact/hooks';
import { words } from '../strings/index.js';
import { logIn, loginFault } from './account.js';

/** @param why somebody who has logged in does not get what they asked for; left out: nobody has */
export function SignIn({ why = '' }: { readonly why?: string }) {
  const texts = words.value.account;
  const [trouble, setTrouble] = useState('');
  const [isBusy, setBusy] = useState(false);
  const user = useRef<HTMLInputElement>(null);
  const secret = useRef<HTMLInputElement>(null);

  const submit = async (): Promise<void> => {
    const [name, word] = [user.current?.value.trim() ?? '', secret.current?.value ?? ''];
    setBusy(true);
    setTrouble('');
    try {
      await logIn(name, word);
    } catch (error) {
      setTrouble(loginFault(error, name));
      secret.current?.select();
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      class="sign-in"
      id="sign-in"
      aria-labelledby="sign-in-title"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h3 id="sign-in-title">{texts.logIn}</h3>
      <label>
        <span>
          {texts.user} <small>{texts.userHint}</small>
        </span>
        <input ref={user} id="sign-in-user" name="username" autocomplete="username" autocapitalize="none" spellcheck={false} />
      </label>
      <label>
        {texts.secret}
        <input ref={secret} type="password" id="sign-in-secret" name="password" autocomplete="current-password" required />
      </label>
      <p id="sign-in-trouble" role="alert">
        {trouble === '' ? why : trouble}
      </p>
      <button type="submit" id="sign-in-submit" disabled={isBusy}>
        {texts.logIn}
      </button>
    </form>
  );
}
