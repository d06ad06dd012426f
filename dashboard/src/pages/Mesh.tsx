// The mesh itself: whether it is well, what it uses, and what it loses.

import { useAnswer } from '../api/answer';
import { Checks } from '../mesh/Checks';
import { Members } from '../mesh/Members';
import { Certificates, Roles } from '../mesh/Roles';
import { Settings } from '../mesh/Settings';
import { Storage } from '../mesh/Storage';
import { Failure, Loading, PageHead } from '../ui/parts';
import '../mesh/mesh.css';

/** Checks ask every role and the store: what they find does not change within seconds. */
const FOLLOWED = { live: true, every: 10 };

export function MeshPage() {
  const check = useAnswer('/api/v1/check', {}, FOLLOWED);
  const mesh = useAnswer('/api/v1/mesh', {}, FOLLOWED);
  const settings = useAnswer('/api/v1/settings/telemetry', {}, FOLLOWED);
  // Who is in the mesh is known also when the store does not answer.
  const instances = useAnswer('/api/v1/instances', {}, { ...FOLLOWED, when: mesh.error !== null });
  const members = mesh.data?.members ?? instances.data?.instances;

  return (
    <>
      <PageHead title="Mesh" sub="Whether the mesh itself is well, and what it costs" command="clew check" />
      {check.error && <Failure error={check.error} retry={check.retry} />}
      {check.isLoading && <Loading what="Looking" />}
      {check.data && <Checks checks={check.data.checks} />}
      {mesh.error && <Failure error={mesh.error} retry={mesh.retry} />}
      {members && <Members members={members} version={mesh.data?.observe.version} />}
      <div className="columns">
        {mesh.data && <Storage store={mesh.data.store} ingest={mesh.data.ingest} />}
        <div className="mesh-side">
          {mesh.data && <Roles mesh={mesh.data} />}
          {members && <Certificates members={members} />}
        </div>
      </div>
      {settings.error && <Failure error={settings.error} retry={settings.retry} />}
      {settings.data && <Settings settings={settings.data} />}
    </>
  );
}
