// The mesh itself: whether it is well, what it uses, and what it loses.

import { useAnswer } from '../api/answer';
import { Checks } from '../mesh/Checks';
import { Members } from '../mesh/Members';
import { Certificates, Roles } from '../mesh/Roles';
import { Settings } from '../mesh/Settings';
import { Storage } from '../mesh/Storage';
import { Failure, Loading, PageHead } from '../ui/parts';
import '../mesh/mesh.css';

export function MeshPage() {
  const check = useAnswer('/api/v1/check', {}, { live: true });
  const mesh = useAnswer('/api/v1/mesh', {}, { live: true });
  const settings = useAnswer('/api/v1/settings/telemetry', {}, { live: true });
  // Who is in the mesh is known also when the store does not answer.
  const instances = useAnswer('/api/v1/instances', {}, { live: true, when: mesh.error !== null });
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
          <Certificates />
        </div>
      </div>
      {settings.error && <Failure error={settings.error} retry={settings.retry} />}
      {settings.data && <Settings settings={settings.data} />}
    </>
  );
}
