/** Sources and users, for whoever administers this server. */
import { useEffect } from 'preact/hooks';
import { may, me } from '../api/me.js';
import { managedSources } from '../api/managed-sources.js';
import { sourceList } from '../api/sources.js';
import { address, hashOf } from '../app/router.js';
import { words } from '../strings/index.js';
import { AddPage } from './add-page.js';
import { SourceList } from './source-list.js';
import { SourcePage } from './source-page.js';
import { Uploads } from './upload-list.js';
import { recallUploads } from './uploads.js';
import { UsersPage } from './users-page.js';

const PAGES = ['sources', 'add', 'users'] as const;

/** At `#manage`, `#manage/add`, `#manage/users` and `#manage/source/<source>`. */
export function ManageView() {
  const text = words.value.manage;
  const isAdmin = may('admin');
  useEffect(() => {
    if (!isAdmin) return;
    void recallUploads();
    const ends = [managedSources.hold(), sourceList.hold()];
    return () => ends.forEach((end) => end());
  }, [isAdmin]);
  const [page = 'sources', source] = address.value.path;
  if (me.value && !isAdmin) return <p class="empty">{text.notAllowed}</p>;
  return (
    <section class="manage" aria-labelledby="manage-title">
      <h2 id="manage-title" class="visually-hidden">
        {words.value.shell.views.manage}
      </h2>
      <nav class="manage-pages" aria-label={text.pages}>
        {PAGES.map((name) => (
          <a
            key={name}
            class="button"
            href={hashOf('manage', name === 'sources' ? [] : [name])}
            aria-current={name === page ? 'page' : undefined}
          >
            {text.page[name]}
          </a>
        ))}
      </nav>
      <Uploads />
      {page === 'add' && <AddPage />}
      {page === 'users' && <UsersPage />}
      {page === 'source' && source !== undefined && <SourcePage key={source} source={source} />}
      {page === 'sources' && <SourceList />}
    </section>
  );
}
