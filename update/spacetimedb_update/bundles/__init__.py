"""A release in one file, for a machine without a network: part of a release repository, in a tar file.

The members have the names they have in a repository, so an unpacked bundle is a mirror::

    metadata/1.root.json …  metadata/timestamp.json  metadata/{N}.snapshot.json  metadata/{N}.targets.json
    targets/{version}/spacetime-{triple}.tar.gz      targets/{version}/….files.json
"""
