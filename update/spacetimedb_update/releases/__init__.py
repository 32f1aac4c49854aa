"""Reading a release repository: TUF metadata, downloads, and the signed lists of a release's files.

A release repository is a folder of static files below any base URL:

::

    {base}/metadata/  1.root.json …  {N}.targets.json  {N}.snapshot.json  timestamp.json
    {base}/targets/{version}/spacetime-{triple}.tar.gz              (`.zip` for Windows)
    {base}/targets/{version}/spacetime-{triple}.tar.gz.files.json   (`file_list`)
    {base}/latest-version      {base}/targets/{version}/SHA256SUMS  (for the installer scripts only)

The metadata follows The Update Framework, specification 1.0, with consistent snapshots; targets keep
their plain names, because a name holds its version and is never written twice.
"""
